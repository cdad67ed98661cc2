import { join } from 'node:path';

import { ESLint } from 'eslint';
import ts from 'typescript-eslint';
import { expect, it } from 'vitest';

import { findStrategyNames } from '../strategy-names.js';

const root = join(import.meta.dirname, '../../..');

// The repository's own configuration; only the rules that need types are off, as the files linted
// here exist in no TypeScript project.
const eslint = new ESLint({
  cwd: root,
  overrideConfig: [{ files: ['**/*.ts'], ...ts.configs.disableTypeChecked }],
});

/** The workspace rules that `code` breaks as the file at `path`. */
async function broken(path: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, path) });
  return result.messages
    .filter((m) => m.ruleId === null || m.ruleId.startsWith('workspace/'))
    .map((m) => m.ruleId ?? m.message); // without a rule: the file was ignored or does not parse
}

const direction = 'workspace/dependency-direction';
const naming = 'workspace/strategy-names';

it.each([
  ['packages/strategy-a/src/a.ts', "export * from '@jit-attention/backend-cpu';"],
  ['packages/strategy-a/src/a.ts', "import '@jit-attention/strategy-b';"],
  ['packages/strategy-a/src/a.ts', "import '@jit-attention/testkit';"],
  ['packages/strategy-a/src/a.ts', "export type T = import('@jit-attention/backend-cpu').T;"],
  ['packages/strategy-a/src/a.ts', "export const m = import('@jit-attention/backend-cpu/x');"],
  ['packages/strategy-a/test/a.test.ts', "import '@jit-attention/backend-cpu';"],
  ['packages/strategy-a/src/deep/a.ts', "import '../../../core/src/index.ts';"],
  [
    'packages/backend-a/src/a.ts',
    "import type { T } from '@jit-attention/strategy-dense';\nexport type { T };",
  ],
  ['packages/core/src/a.ts', "import '@jit-attention/strategy-dense';"],
  ['packages/core/test/a.test.ts', "import '@jit-attention/testkit';"],
  ['packages/testkit/src/a.ts', "import '@jit-attention/strategy-dense';"],
  ['apps/a/src/a.ts', "import '../../../packages/core/src/index.ts';"],
])('%s may not say %s', async (path, code) => {
  expect(await broken(path, code)).toEqual([direction]);
});

it.each([
  ['packages/strategy-a/src/a.ts', "import '@jit-attention/core';\nimport './b.ts';"],
  ['packages/strategy-a/test/a.test.ts', "import '@jit-attention/testkit';\nimport '../src/a.ts';"],
  ['packages/strategy-a/test/a.test.ts', "import '@jit-attention/strategy-a';"],
  ['packages/backend-a/src/a.ts', "import '@jit-attention/core';\nimport 'node:os';"],
  ['packages/testkit/src/a.ts', "import '@jit-attention/core';"],
  ['apps/a/src/a.ts', "import '@jit-attention/backend-cpu';\nimport '@jit-attention/strategy-b';"],
])('%s may say %s', async (path, code) => {
  expect(await broken(path, code)).toEqual([]);
});

it.each([
  ['an identifier', 'export const windowedPlan = 1;'],
  ['a property', 'export const o = { csa2: 1 };'],
  ['a string', "export const s = 'streaming-llm';"],
  ['a template', 'export const t = `${1} NSA gates`;'],
  ['a comment', '// as Quest does\nexport {};'],
  ['an upper-case word inside', 'export function planDSAStep(): void {}'],
])('the name of a strategy fails in core and backends: %s', async (_, code) => {
  expect(await broken('packages/core/src/a.ts', code)).toEqual([naming]);
  expect(await broken('packages/backend-cpu/src/a.ts', code)).toEqual([naming]);
  expect(await broken('packages/strategy-a/src/a.ts', code)).toEqual([]);
});

it('a file named after a strategy fails', async () => {
  expect(await broken('packages/core/src/lightning-indexer.ts', 'export {};')).toEqual([naming]);
});

it('words of the interface pass', async () => {
  const code = `
    // a request whose window is adapted; the nearest page, densely
    export type Pick = 'topk' | 'topp' | 'threshold';
    export const dense = { window: 1, cacheIndex: 2, crossAttention: 3, request: 'line\\nsame' };
  `;
  expect(await broken('packages/core/src/select.ts', code)).toEqual([]);
});

it('finds names at their places, the longest first', () => {
  expect(findStrategyNames('a CSA2Layer, xAttention_hcas, minInference, MInference')).toEqual([
    { name: 'csa2', index: 2 },
    { name: 'xattention', index: 13 },
    { name: 'hca', index: 24 },
    { name: 'minference', index: 44 },
  ]);
});
