import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes minutes at 500 cases, longest first: vitest begins with the largest files, and these are small. */
const LONG = [
  'apps/conformance/test/strategies/topk',
  'apps/conformance/test/browser',
  'apps/conformance/test/strategies/windowed',
  'apps/conformance/test/judges',
  'packages/backend-webgpu/test/conformance',
  'packages/strategy-topk/test/tokens',
  'packages/strategy-topk/test/pages',
  'packages/backend-webgpu/test/browser',
  'packages/strategy-windowed/test/conformance',
  'apps/conformance/test/strategies/dense',
];

/** So that no worker is left with a long file when the others have nothing to do. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = LONG.findIndex((path) => moduleId.includes(`${path}.test.ts`));
      return rank < 0 ? LONG.length : rank;
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}

// Workspace packages resolve to their TypeScript source, so tests need no build;
// TEST_BUILT=1 runs the same tests on `dist/`, as a consumer would get it.
const source = process.env.TEST_BUILT ? [] : ['@jit-attention/source'];

export default defineConfig({
  resolve: { conditions: [...source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [...source, ...defaultServerConditions] } },
  test: {
    // vitest leaves a core free, which is half of two
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    // Ends what hangs; at 500 cases on a busy machine a test may take its minutes.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{packages,apps}/*/test/**/*.test.ts', 'tools/**/*.test.ts'],
        },
      },
    ],
  },
});
