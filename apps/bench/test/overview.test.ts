import { existsSync, readFileSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BenchResults } from '../src/output/results.js';
import { type Outcome, runMain } from './run-main.js';
import { Folder, synthetic, writeSynthetic } from './synthetic.js';

const schema = JSON.parse(
  readFileSync(new URL('../schema/results.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({ allErrors: true }).compile(schema);

function readResults(folder: Folder, name: string): BenchResults {
  const results = JSON.parse(readFileSync(folder.at(name), 'utf8')) as BenchResults;
  validate(results);
  expect(validate.errors ?? []).toEqual([]);
  return results;
}

/** One strategy that works at all budgets, one that fails while planning. */
const FAILING = `export default ({ budget }) => ({
  name: 'failing',
  apiVersion: 1,
  supports: { exact: true, sync: true, bidirectional: false },
  plan: () => {
    if (budget < 100) throw new Error('budget ' + budget + ' is too <small>');
    return { branches: [{ keys: 'cache', selection: { kind: 'all' } }] };
  },
});`;

describe('bench overview --quick on activations from a file', () => {
  let folder: Folder;
  let outcome: Outcome;
  let results: BenchResults;
  let page: string;

  beforeAll(async () => {
    folder = new Folder();
    writeSynthetic(folder);
    folder.write('failing.mjs', FAILING);
    const strategies = ['windowed', 'topk', './failing.mjs'].flatMap((name) => [
      '--strategy',
      name,
    ]);
    const args = [
      '--qkv',
      'qkv.safetensors',
      '--budget',
      '64,128',
      '--tokens',
      '200,320',
      '--backend',
      'reference',
      '--quick',
    ];
    outcome = await runMain([...args, ...strategies], folder.path);
    expect(outcome.err).toBe('');
    results = readResults(folder, 'results/overview-quick.json');
    page = readFileSync(folder.at('results/overview-quick.html'), 'utf8');
  });
  afterAll(() => folder.dispose());

  it('succeeds, and writes where the user stands', () => {
    expect(outcome.status).toBe(0);
    expect(outcome.out).toContain('results/overview-quick.json');
    expect(outcome.out).toContain('results/overview-quick.html');
  });

  it('has a row for every strategy, budget, layer and length of context', () => {
    // dense once; windowed, topk by page (shared or not) and by token, and the module at two budgets each
    expect(results.results).toHaveLength((1 + 5 * 2) * 2 * 2);
    const keys = results.results.map((row) =>
      JSON.stringify([row.case, row.strategy, row.budget, row.tokens]),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(results.results.map((row) => row.case))).toEqual(
      new Set(
        [0, 1].flatMap((i) =>
          ['', ' page', ' page-shared', ' token', ' failing.mjs'].map(
            (variant) => `layer.${i}${variant}`,
          ),
        ),
      ),
    );
  });

  it('measures every row that has not failed', () => {
    for (const { metrics, error, queries, tokens } of results.results) {
      expect(queries).toBe(Math.min(tokens, 128));
      if (error !== undefined) continue;
      for (const value of Object.values(metrics)) expect(value).toEqual(expect.any(Number));
    }
    const dense = results.results.filter((row) => row.strategy === 'dense');
    for (const { metrics } of dense) {
      expect(metrics).toMatchObject({ density: 1, recallMean: 1, recallP5: 1, outputError: 0 });
    }
  });

  it('keeps a strategy that throws as a row with its error', () => {
    const failed = results.results.filter(({ error }) => error !== undefined);
    for (const { metrics, budget } of failed) {
      expect([64, 128]).toContain(budget);
      expect(Object.values(metrics).every((value) => value === null)).toBe(true);
    }
    const errors = (name: string) =>
      failed.filter(({ strategy }) => strategy === name).map(({ error }) => error);
    const thrown = /strategy failing failed in plan: budget 64 is too <small>/;
    expect(errors('failing')).toEqual(Array(4).fill(expect.stringMatching(thrown)));
    // Sinks and the current page are two pages; those of queries that share a selection may be three.
    expect(errors('topk')).toEqual(Array(4 + 2 * 4).fill(expect.stringMatching(/budget/)));
    expect(outcome.out).toMatch(/failing failing\.mjs 64 failed: .*budget 64 is too <small>/);
  });

  it('prints a table for each length of context, and ends with code to paste', () => {
    expect(outcome.out).toMatch(/Synthetic reading qkv\.safetensors: 200 tokens[^]*320 tokens/);
    expect(outcome.out).toMatch(/128 of 320 queries a layer \(seed 0\)/);
    expect(outcome.out).toContain('The f64 reference backend is exact and slow');
    const head = /strategy +budget +density +time +speed-up +recall +p5, worst layer +output error/;
    expect(outcome.out).toMatch(head);
    expect(outcome.out).toMatch(
      /Recommendation[^]*import \{ createAttention, reference \} from '@jit-attention\/core';/,
    );
  });

  it('writes a page that has every section and needs nothing else', () => {
    const sections = [
      'What mattered, and what was read',
      'Recall against density',
      'Time against tokens',
      'All numbers',
      'Recommendation',
      'How this was measured',
    ];
    for (const section of sections) expect(page).toContain(`<h2>${section}</h2>`);
    expect(page).not.toMatch(/<script|<link|@import|url\(|src=/);
    expect(page.match(/https?:\/\/(?!www\.w3\.org)/g)).toBeNull();
    expect(page.match(/<svg/g)!.length).toBe(1 + 4 + 2 + 1); // the truth and four strategies; layers; time
    expect(page).toContain('budget 64 is too &lt;small&gt;');
    expect(page).not.toMatch(/undefined|NaN|\bfalse\b/);
  });

  it('says how to repeat it', () => {
    const { command } = results.environment;
    expect(command).toBe(
      'jit-attention-bench --qkv qkv.safetensors --budget 64,128 --tokens 200,320 --backend reference --quick ' +
        '--strategy windowed --strategy topk --strategy ./failing.mjs',
    );
    expect(page).toContain(command);
  });
});

describe('bench overview on the CPU backend', () => {
  let folder: Folder;
  let outcome: Outcome;
  let results: BenchResults;

  beforeAll(async () => {
    folder = new Folder();
    writeSynthetic(folder, synthetic({ tokens: 700 }));
    const args = ['--qkv', 'qkv.safetensors', '--threads', '1,2', '--layers', '1', '--quick'];
    outcome = await runMain(args, folder.path);
    results = readResults(folder, 'results/overview-quick.json');
  });
  afterAll(() => folder.dispose());

  it('is the default, and measures all queries of a layer', () => {
    expect([outcome.status, outcome.err]).toEqual([0, '']);
    for (const { backend, queries, error, metrics } of results.results) {
      expect([backend, queries, error]).toEqual(['cpu', 700, undefined]);
      for (const value of Object.values(metrics)) expect(value).toEqual(expect.any(Number));
    }
    expect(outcome.out).toContain('all 700 queries a layer, prefilled in stretches of 512');
    const page = readFileSync(folder.at('results/overview-quick.html'), 'utf8');
    expect(page).toContain('All queries of a layer are measured');
  });

  it('has the same rows for each number of threads', () => {
    const [one, two] = [1, 2].map((count) =>
      results.results.filter((row) => row.threads === count),
    );
    expect(one).toHaveLength(1 + 3 + 4 + 2 + 1); // dense; windowed; pages, not shared and shared; tokens
    expect(two.map((row) => [row.case, row.budget, row.metrics.density])).toEqual(
      one.map((row) => [row.case, row.budget, row.metrics.density]),
    );
  });

  it('ends with code that makes the backend', () => {
    expect(outcome.out).toContain('const backend = await cpu();');
  });
});

describe('bench overview', () => {
  const folder = new Folder();
  afterAll(() => folder.dispose());

  it('repeats its numbers, times apart', async () => {
    writeSynthetic(folder);
    const args = ['--qkv', 'qkv.safetensors', '--layers', '1', '--quick', '--seed', '5'];
    const runs: unknown[] = [];
    for (const name of ['a.json', 'b.json']) {
      await runMain([...args, '--json', name, '--html', 'x/y.html'], folder.path);
      const { results } = readResults(folder, name);
      runs.push(results.map((row) => ({ ...row, metrics: { ...row.metrics, ms: 0, gflops: 0 } })));
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(existsSync(folder.at('x/y.html'))).toBe(true);
  });

  it('runs the reference model over a text of the user', async () => {
    folder.write('text.txt', 'It was the best of times, it was the worst of times. '.repeat(40));
    const args = [
      '--text',
      'text.txt',
      '--tokens',
      '200',
      '--layers',
      '0,3',
      '--quick',
      '--strategy',
      'topk',
    ];
    const { status, out, err } = await runMain(args, folder.path);
    expect([status, err]).toEqual([0, '']);
    expect(out).toContain('The reference model reading text.txt: 200 tokens');
    const { results } = readResults(folder, 'results/overview-quick.json');
    expect(new Set(results.map((row) => row.case.slice(0, 7)))).toEqual(
      new Set(['layer.0', 'layer.3']),
    );
  });

  it('measures the end of a long context with --quick', async () => {
    writeSynthetic(folder, synthetic({ tokens: 1600 }));
    const args = ['--qkv', 'qkv.safetensors', '--layers', '0', '--strategy', 'dense', '--quick'];
    const { out } = await runMain(args, folder.path);
    expect(out).toContain('the last 576 of 1,600 queries a layer, prefilled in stretches of 512');
    const { results } = readResults(folder, 'results/overview-quick.json');
    expect(results.map(({ queries }) => queries)).toEqual([576]);
  });

  it('runs each backend on the threads it can use, and says what it leaves out', async () => {
    writeSynthetic(folder);
    const where = ['--backend', 'reference,cpu', '--threads', '1,2', '--strategy', 'dense'];
    const args = ['--qkv', 'qkv.safetensors', '--layers', '0', '--quick', ...where];
    const { status, out } = await runMain(args, folder.path);
    expect(status).toBe(0);
    expect(out).toContain('note: backend reference has at most 1 thread: not run on 2');
    const { results } = readResults(folder, 'results/overview-quick.json');
    expect(results.map(({ backend, threads }) => [backend, threads])).toEqual([
      ['reference', 1],
      ['cpu', 1],
      ['cpu', 2],
    ]);
  });

  it('reads what there is of a short text, unless told otherwise', async () => {
    folder.write('short.txt', 'Call me Ishmael. Some years ago.');
    const args = ['--text', 'short.txt', '--layers', '0', '--strategy', 'dense', '--quick'];
    const { status, out, err } = await runMain(args, folder.path);
    expect([status, err]).toEqual([0, '']);
    expect(out).toMatch(/reading short\.txt: \d\d? tokens/);
  });

  it('refuses more tokens than the text has', async () => {
    folder.write('short.txt', 'Call me Ishmael.');
    const { status, err } = await runMain(['--text', 'short.txt', '--tokens', '64'], folder.path);
    expect(err).toMatch(/--tokens: expected at most \d+, the tokens of the text, got 64/);
    expect(status).toBe(2);
  });
});
