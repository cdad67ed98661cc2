import { type Backend, reference } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, it } from 'vitest';

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
  indexDtype: fc.constantFrom('f32', 'i8'),
});
const INDEX_WIDTH = 5;

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

describe('csa', () => {
  it('reads the best overlapping entries, beside the window and a sink, in one softmax', () =>
    holds([latentProblems(), sizes], async (problem, options) => {
      const { headDim, valueDim, frequencies } = problem;
      const { ratio, window, budget, indexDtype } = options;
      const norm = learned(problem, 'norm', headDim);
      const indexNorm = learned(problem, 'indexNorm', INDEX_WIDTH);
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
    }));
});
