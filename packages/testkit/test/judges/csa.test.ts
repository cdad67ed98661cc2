import { type Backend, createAttention, reference } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { csa } from '../../judges/csa.js';
import {
  best,
  clear,
  everyQuery,
  examine,
  holds,
  matrix,
  randomInputs,
  type Rows,
  span,
} from './support/index.js';
import { latentProblems, type LatentProblem, learned, sinkLogits } from './support/latent.js';
import { remembered } from './support/remembered.js';
import {
  attendBesideSink,
  finishedGroups,
  indexerAt,
  indexerScore,
  int8,
  pooledGroups,
} from './support/straight-deepseek.js';

const sizes = fc.record({
  ratio: fc.integer({ min: 1, max: 5 }),
  window: fc.integer({ min: 1, max: 9 }),
  budget: fc.integer({ min: 1, max: 12 }),
  indexHeads: fc.integer({ min: 1, max: 3 }),
  indexWidth: fc.integer({ min: 4, max: 6 }),
  indexDtype: fc.constantFrom('f32', 'i8'),
});
type Sizes = typeof sizes extends fc.Arbitrary<infer T> ? T : never;

/** Overlapping entries of each batch row, from auxiliary inputs. */
function entriesOf(
  problem: LatentProblem,
  [values, gates]: readonly [Rows, Rows],
  { norm, ratio }: { norm: readonly number[]; ratio: number },
): number[][][] {
  return problem.lengths.map((_, row) => {
    const pooled = pooledGroups({
      values: matrix(values, problem, row, 0),
      gates: matrix(gates, problem, row, 0),
      ratio,
      width: norm.length,
      overlapping: true,
    });
    return finishedGroups(pooled, { ratio, norm, eps: 1e-6, frequencies: problem.frequencies });
  });
}

/** Holds the strategy to plain loops. */
async function hold(problem: LatentProblem, options: Sizes): Promise<void> {
  const { headDim, valueDim, frequencies } = problem;
  const { ratio, window, budget, indexWidth, indexDtype } = options;
  const norm = learned(problem, 'norm', headDim);
  const indexNorm = learned(problem, 'indexNorm', indexWidth);
  const strategy = (backend: Backend) =>
    csa({ ...options, norm: norm.on(backend), indexNorm: indexNorm.on(backend), frequencies });
  const inputs = randomInputs(problem, strategy(reference()).requires, 'key');
  const { entryValues, entryGates, indexValues, indexGates } = inputs.aux;
  const entries = entriesOf(problem, [entryValues, entryGates], { norm: norm.rows[0], ratio });
  const indexKeys = entriesOf(problem, [indexValues, indexGates], {
    norm: indexNorm.rows[0],
    ratio,
  }).map((keys) => (indexDtype === 'i8' ? keys.map(int8) : keys));

  const selected = remembered((row, position) => {
    const { queries, weights } = indexerAt(inputs, problem, row, position);
    const score = (entry: number) => indexerScore(queries, weights, indexKeys[row][entry]);
    return clear(best(score, span(0, Math.floor((position + 1) / ratio)), budget));
  });
  const recent = (position: number) => span(Math.max(0, position + 1 - window), position + 1);
  const sinks = sinkLogits(problem);
  const output = everyQuery(problem, ({ row, head, position }) => {
    const keys = matrix(inputs.key, problem, row, 0);
    const read = [
      ...recent(position).map((token) => keys[token]),
      ...selected(row, position).map((entry) => entries[row][entry]),
    ];
    const query = matrix(inputs.query, problem, row, head)[position];
    const sink = sinks[head];
    return attendBesideSink(query, read, { scale: headDim ** -0.5, sink, width: valueDim });
  });

  await examine(problem, {
    strategy,
    inputs,
    output,
    options: { values: 'key', sinkLogits: sinks },
    reads: [({ position }) => recent(position), ({ row, position }) => selected(row, position)],
  });
}

describe('csa', () => {
  it('reads the best overlapping entries, beside the window and a sink, in one softmax', () =>
    holds([latentProblems(), sizes], hold));

  it('does so at the widths of DeepSeek-V4', async () => {
    const problem: LatentProblem = {
      ...{ seed: 4, lengths: [30], kvHeads: 1, group: 2, headDim: 512, valueDim: 512 },
      ...{ pageSize: 64, queryChunk: 8, rollback: 3 },
      frequencies: span(0, 32).map((pair) => 160000 ** (-pair / 32)),
    };
    const index = { indexHeads: 2, indexWidth: 128, indexDtype: 'i8' } as const;
    await hold(problem, { ratio: 4, window: 8, budget: 3, ...index });
  });

  it('is for one kv head, as wide as its entries', () => {
    const backend = reference();
    const weight = backend.tensor(Float32Array.of(1, 1), { shape: [2] });
    const strategy = csa({
      ...{ budget: 2, indexHeads: 1, frequencies: [] },
      ...{ norm: weight, indexNorm: weight },
    });
    const create = (sizes: { heads: number; kvHeads: number; headDim: number }) => () =>
      createAttention({ backend, strategy, values: 'key', ...sizes });
    expect(create({ heads: 2, kvHeads: 2, headDim: 2 })).toThrow('expected kvHeads 1');
    expect(create({ heads: 2, kvHeads: 1, headDim: 3 })).toThrow('expected headDim 2');
  });
});
