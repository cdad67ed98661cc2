import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { labelOf } from '../src/candidates/candidate.js';
import { isPath, loadPlugin, pluginCandidates } from '../src/candidates/plugin.js';
import { candidatesOf, resolveStrategies } from '../src/candidates/resolve.js';
import { Folder } from './synthetic.js';

/** A strategy as plain JavaScript that imports nothing: the last `count` entries. */
const NEWEST = `({ budget = 8 } = {}) => ({
  name: 'newest',
  apiVersion: 1,
  supports: { exact: true, sync: true, bidirectional: false },
  options: { budget },
  plan: () => ({
    branches: [
      {
        keys: 'cache',
        selection: {
          kind: 'ranges',
          ranges: [[{ offset: 1 - budget, stride: 1 }, { offset: 1, stride: 1 }]],
        },
      },
    ],
  }),
})`;

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
  vi.stubEnv('INIT_CWD', folder.path);
});
afterAll(() => {
  vi.unstubAllEnvs();
  folder.dispose();
});

const load = (name: string, text: string) => loadPlugin(folder.write(name, text));

describe('a module of a strategy', () => {
  it('may export a factory by default, which is tried at every budget', async () => {
    const plugin = await load(
      'factory.mjs',
      `export default ${NEWEST};\nexport const other = 1;\n`,
    );
    const candidates = pluginCandidates(plugin, [32, 64]);
    expect(candidates.map(labelOf)).toEqual(['newest factory.mjs 32', 'newest factory.mjs 64']);
    expect(candidates[1].create().options).toEqual({ budget: 64 });
    expect(candidates[1].code).toEqual({
      imports: { name: 'strategy', from: './factory.mjs', isDefault: true },
      expression: 'strategy({ budget: 64 })',
    });
  });

  it('may have a factory as its only export', async () => {
    const [candidate] = pluginCandidates(
      await load('named.mjs', `export const newest = ${NEWEST};`),
      [16],
    );
    expect(candidate.code).toEqual({
      imports: { name: 'newest', from: './named.mjs', isDefault: false },
      expression: 'newest({ budget: 16 })',
    });
  });

  it('may export a strategy as it is, which has the budget it says', async () => {
    const plugin = await load('object.mjs', `export default (${NEWEST})({ budget: 24 });`);
    const candidates = pluginCandidates(plugin, [16, 32]);
    expect(candidates.map(({ budget, code }) => [budget, code.expression])).toEqual([
      [24, 'strategy'],
    ]);
  });

  it('keeps its place when its factory throws', async () => {
    const plugin = await load(
      'throws.mjs',
      `export default () => { throw new Error('not today'); };`,
    );
    const [candidate] = pluginCandidates(plugin, [16]);
    expect(candidate.strategy).toBe('throws.mjs');
    expect(() => candidate.create()).toThrow('not today');
  });

  it.each([
    ['empty.mjs', '', /to export a strategy .* or a factory of one, got undefined/],
    ['number.mjs', 'export default 7;', /to export a strategy .* or a factory of one, got 7/],
    ['two.mjs', 'export const a = () => 1, b = () => 2;', /one export, or a default one, got a, b/],
    ['broken.mjs', 'throw new Error("no luck");', /a module that loads, got no luck/],
  ])('is refused with a reason: %s', async (name, text, message) => {
    await expect(load(name, text)).rejects.toThrow(message);
  });
});

describe('--strategy', () => {
  it('tells modules of one name apart, and takes the same file once', async () => {
    mkdirSync(folder.at('d'));
    const [one, other] = ['same.mjs', 'd/same.mjs'].map((name) =>
      folder.write(name, `export default ${NEWEST};`),
    );
    const candidates = candidatesOf(await resolveStrategies([one, other, one]), 4096, [64]);
    const labels = candidates.map(labelOf);
    expect(labels).toEqual(['dense', 'newest same.mjs 64', `newest ${join('d', 'same.mjs')} 64`]);
    const imports = candidates.slice(1).map(({ code }) => code.imports.from);
    expect(imports).toEqual(['./same.mjs', './d/same.mjs']);
  });

  it('tells modules from names', () => {
    const paths = ['./a.mjs', 'a.js', '/x/y', 'folder\\a'];
    expect([...paths, 'topk', 'topk:page'].filter(isPath)).toEqual(paths);
  });

  it('takes all that are built in when nothing is asked for', async () => {
    const names = candidatesOf(await resolveStrategies([]), 4096).map(labelOf);
    expect(names).toEqual([
      'dense',
      ...['windowed 256', 'windowed 512', 'windowed 1024', 'windowed 2048'],
      ...['topk page 256', 'topk page 512', 'topk page 1024', 'topk page 2048'],
      ...[256, 512, 1024, 2048, 3072].map((budget) => `topk page-shared ${budget}`),
      ...['topk token 128', 'topk token 256', 'topk token 512'],
    ]);
  });

  it('always measures dense attention, first and once', async () => {
    const names = async (...wanted: string[]) =>
      candidatesOf(await resolveStrategies(wanted), 4096, [64]).map(labelOf);
    expect(await names('topk')).toEqual([
      'dense',
      'topk page 64',
      'topk page-shared 64',
      'topk token 64',
    ]);
    expect(await names('topk:token', 'dense')).toEqual(['dense', 'topk token 64']);
  });
});
