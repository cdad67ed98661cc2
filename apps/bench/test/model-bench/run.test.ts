import { readFileSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BenchResults } from '../../src/output/results.js';
import { type Outcome, runMain } from '../run-main.js';
import { Folder } from '../synthetic.js';

const schema = JSON.parse(
  readFileSync(new URL('../../schema/results.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({ allErrors: true }).compile(schema);

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder.dispose());

describe('bench model --quick', () => {
  let outcome: Outcome;
  let results: BenchResults;
  let page: string;
  beforeAll(async () => {
    outcome = await runMain(['model', '--quick', '--contexts', '320'], folder.path);
    results = JSON.parse(
      readFileSync(folder.at('results/model-quick.json'), 'utf8'),
    ) as BenchResults;
    page = readFileSync(folder.at('results/model-quick.html'), 'utf8');
  }, 120_000);

  it('succeeds, with results in the form of all', () => {
    expect([outcome.status, outcome.err]).toEqual([0, '']);
    validate(results);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('has the perplexity of every variant, and the codes it finds', () => {
    const read = results.results.filter((row) => row.case.startsWith('perplexity'));
    expect(read.map((row) => [row.case, row.strategy, row.budget])).toEqual([
      ['perplexity', 'dense', null],
      ['perplexity', 'windowed', 32],
      ['perplexity page', 'topk', 256],
      ['perplexity token', 'topk', 32],
    ]);
    for (const { metrics } of read) {
      expect(metrics.cases).toBe(3 * 319);
      expect(metrics.perplexity).toBeGreaterThan(10);
      expect(metrics.perplexity).toBeLessThan(100);
    }
    const found = results.results.filter((row) => row.case.startsWith('needle at 0.0625'));
    expect(found).toHaveLength(4);
  });

  it('times ours beside the uncut model, whose logits it has', () => {
    const cases = ['prefill-256', 'decode', 'piece', 'web-prefill-256', 'web-decode'];
    for (const name of cases) {
      const rows = results.results.filter((row) => row.case === name);
      const uncut = name.startsWith('web') ? 'onnxruntime-web' : 'onnxruntime-node';
      expect(new Set(rows.map((row) => row.implementation))).toEqual(
        new Set([uncut, 'jit-attention']),
      );
      for (const { metrics, error } of rows) {
        expect(error).toBeUndefined();
        expect(metrics.ms).toBeGreaterThan(0);
      }
    }
    const metricsOf = (name: string) =>
      results.results.find((row) => row.case === name)?.metrics ?? expect.fail(name);
    expect(metricsOf('logits').largestDifference).toBeLessThan(1e-3);
    for (const name of ['greedy', 'greedy onnxruntime-web'])
      expect(metricsOf(name)).toMatchObject({ found: 16, cases: 16 });
  });

  it('prints tables and figures, and judges none of them', () => {
    expect(outcome.out).toMatch(
      /strategy +budget +density +perplexity +change +KL, nats +codes found/,
    );
    expect(outcome.out).toMatch(/perplexity of 957 predictions; .*; 2 codes asked for/);
    expect(outcome.out).toMatch(/largest difference of a logit .* ≤ 1.0e-3 +not judged/);
  });

  it('writes a page that has every section and needs nothing else', () => {
    for (const section of [
      'Perplexity by budget',
      'Codes found by budget',
      'Where codes are found',
      'Time of a token, by the tokens before it',
      'Figures and targets',
      'All numbers',
      'How this was measured',
    ])
      expect(page).toContain(`<h2>${section}</h2>`);
    expect(page).not.toMatch(/<script|<link|@import|url\(|src=/);
    expect(page.match(/https?:\/\/(?!www\.w3\.org)/g)).toBeNull();
    expect(page).not.toMatch(/undefined|NaN|\bfalse\b/);
  });
});

describe('bench model', () => {
  it.each([
    [['--only', 'nothing'], /--only: expected perplexity, needles, .*, got nothing/],
    [['--model', 'nowhere'], /--model: expected a directory, got .*nowhere, which does not exist/],
    [['--contexts', '8192'], /--contexts: expected at most 8160/],
    [['--contexts', '100'], /--contexts: expected whole numbers from 256/],
    [['--threads', '0'], /--threads: expected a whole number from 1/],
  ])('refuses %j before any work', async (args, message) => {
    const { status, err, out } = await runMain(['model', ...args], folder.path);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  it('refuses a text that is too short', async () => {
    folder.write('short.txt', 'Call me Ishmael.');
    const { status, err } = await runMain(['model', '--text', 'short.txt'], folder.path);
    expect(status).toBe(2);
    expect(err).toMatch(/--text: expected a text of at least 8192 tokens, got short\.txt: \d+/);
  });
});
