import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BenchResults } from '../src/output/results.js';
import { build, packWithDependencies } from './packing.js';
import { runMain } from './run-main.js';

const run = promisify(execFile);
const PUBLISHED = ['core', 'strategy-topk'];

/** A strategy as somebody else would publish it: core's ready-made parts, and another package's strategy. */
const MIXED = `
import { defineStrategy, fromQuery, groups, topk as best, union } from '@jit-attention/core';
import { topk } from '@jit-attention/strategy-topk';

/** Pages by their mean key (MoBA, arXiv 2502.13189), the query's own among them. */
const means = (budget) =>
  defineStrategy({
    name: 'means',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: false },
    index: (site) => {
      const { pageSize: stride } = site.layer;
      const make = ({ pool }) => pool('mean');
      return { means: groups(site, { inputs: ['keys'], stride, partial: true, make }) };
    },
    plan({ query, keys, index, layer, ops }) {
      const selection = ops.select({
        score: { kind: 'dot', query, keys: index.means.rows, scale: layer.scale },
        over: keys,
        block: layer.pageSize,
        always: [[fromQuery(0), fromQuery(1)]],
        pick: best(Math.ceil(budget / layer.pageSize)),
      });
      return { branches: [{ keys: 'cache', selection }] };
    },
  });

/** Half of the budget by means, half by bounds. */
export default ({ budget }) => ({
  ...union(means(budget / 2), topk({ budget: budget / 2, sinks: 0 })),
  name: 'mixed',
});
`;

/** What its author would try first. */
const TRY = `
import { createAttention, reference } from '@jit-attention/core';
import mixed from './mixed.mjs';

const attention = createAttention({
  ...{ backend: reference(), strategy: mixed({ budget: 16 }) },
  ...{ heads: 4, kvHeads: 2, headDim: 16, pageSize: 4 },
});
const numbers = (heads) => Float32Array.from({ length: heads * 64 * 16 }, (_, i) => Math.sin(i * i));
const { stats } = await attention.run({ query: numbers(4), key: numbers(2), value: numbers(2) });
console.log(JSON.stringify(await stats()));
`;

let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'jit-attention-plugin-'));
  writeFileSync(join(directory, 'mixed.mjs'), MIXED);
  writeFileSync(join(directory, 'try.mjs'), TRY);
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true }));
  if (!process.env.TEST_BUILT) await build(PUBLISHED);
  const tarballs = [];
  for (const name of PUBLISHED) tarballs.push(...(await packWithDependencies(name, directory)));
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...tarballs], {
    cwd: directory,
  });
}, 240_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a strategy published outside the workspace', () => {
  it('runs on what npm installs', async () => {
    const { stdout } = await run(process.execPath, ['try.mjs'], { cwd: directory });
    const { density } = JSON.parse(stdout) as { density: number };
    expect(density).toBeGreaterThan(0.2);
    expect(density).toBeLessThan(0.7);
  });

  it('runs through bench --strategy', async () => {
    const { status, err } = await runMain(
      [
        ...['overview', '--quick', '--strategy', './mixed.mjs', '--tokens', '512', '--layers', '0'],
        ...['--budget', '128,256', '--json', 'results.json', '--html', 'results.html'],
      ],
      directory,
    );
    expect(err).not.toContain('mixed.mjs: ');
    expect(status).toBe(0);
    const text = readFileSync(join(directory, 'results.json'), 'utf8');
    const { results } = JSON.parse(text) as BenchResults;
    const mixed = results.filter(({ strategy }) => strategy === 'mixed');
    expect(mixed.map(({ budget, error }) => [budget, error])).toEqual([
      [128, undefined],
      [256, undefined],
    ]);
    for (const { metrics } of mixed) {
      expect(metrics.density).toBeLessThan(0.5);
      expect(metrics.recallMean).toBeGreaterThan(metrics.density!);
    }
  }, 120_000);

  it('has its errors recognised across two copies of core', async () => {
    const { status } = await runMain(
      [
        ...['overview', '--quick', '--strategy', './mixed.mjs', '--tokens', '128', '--layers', '0'],
        ...['--budget', '5', '--json', 'odd.json', '--html', 'odd.html'],
      ],
      directory,
    );
    const text = readFileSync(join(directory, 'odd.json'), 'utf8');
    const { results } = JSON.parse(text) as BenchResults;
    const [odd] = results.filter(({ budget }) => budget === 5);
    expect(status).toBe(0);
    expect(odd.error).toContain('topk: expected budget to be a whole number from 1, got 2.5');
  }, 120_000);
});
