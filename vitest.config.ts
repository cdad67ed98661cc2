import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their TypeScript source, so tests need no build;
// TEST_BUILT=1 runs the same tests on `dist/`, as a consumer would get it.
const source = process.env.TEST_BUILT ? [] : ['@jit-attention/source'];

export default defineConfig({
  resolve: { conditions: [...source, ...defaultClientConditions] },
  ssr: { resolve: { conditions: [...source, ...defaultServerConditions] } },
  test: {
    // vitest leaves a core free, which is half of two
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
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
