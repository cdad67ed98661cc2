import { readFileSync } from 'node:fs';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BenchResults } from '../src/output/results.js';
import { type Outcome, runMain } from './run-main.js';
import { Folder } from './synthetic.js';

const schema = JSON.parse(
  readFileSync(new URL('../schema/results.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({ allErrors: true }).compile(schema);

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder.dispose());

function readResults(name: string): BenchResults {
  const results = JSON.parse(readFileSync(folder.at(name), 'utf8')) as BenchResults;
  validate(results);
  expect(validate.errors ?? []).toEqual([]);
  return results;
}

describe('bench kernels --quick', () => {
  let outcome: Outcome;
  beforeAll(async () => {
    outcome = await runMain(['kernels', '--quick', '--only', 'dense,select'], folder.path);
  });

  it('writes rows of the cases that were asked for, in the form of all results', () => {
    expect([outcome.status, outcome.err]).toEqual([0, '']);
    const { results } = readResults('results/kernels-quick.json');
    expect(results.map(({ suite, case: name }) => [suite, name])).toEqual([
      ['kernels', 'dense'],
      ['kernels', 'dense'],
      ['kernels', 'select'],
    ]);
    for (const { metrics } of results) expect(metrics.ms).toBeGreaterThan(0);
  });

  it('prints every figure beside its target, and judges none of shorter contexts', () => {
    expect(outcome.out).toMatch(/share of the multiply-add peak +\d+(\.\d)? % +≥ 65 % +not judged/);
    expect(outcome.out).toMatch(/selecting .* +≤ 0.400 ms +not judged/);
    expect(outcome.out).toContain('results/kernels-quick.json');
  });
});

describe('bench peers --quick', () => {
  it('runs a case', async () => {
    const args = ['peers', '--quick', '--only', 'node-2048', '--json', 'x/peers.json'];
    const { status, out } = await runMain(args, folder.path);
    expect(status).toBe(0);
    const { results } = readResults('x/peers.json');
    expect(results.map(({ implementation }) => implementation)).toEqual([
      'jit-attention',
      'onnxruntime-node/Attention',
      'onnxruntime-node/MultiHeadAttention',
      'onnxruntime-node/GroupQueryAttention',
      'wasm/f32x4.relaxed_madd',
    ]);
    expect(out).toMatch(/times as fast as onnxruntime-node\/Attention, 256 tokens/);
  });
});

describe.each(['kernels', 'peers'])('bench %s', (suite) => {
  it('refuses a case that it has not, before any work', async () => {
    const { status, err, out } = await runMain([suite, '--only', 'nothing'], folder.path);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(/--only: expected .*topk.*, got nothing/);
  });

  it('names its options and cases in its help', async () => {
    const { out } = await runMain([suite, '--help'], folder.path);
    for (const word of ['--only', '--json', '--quick', 'topk']) expect(out).toContain(word);
  });
});
