import fc from 'fast-check';

import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { lightning, type LightningOptions } from '../../judges/lightning.js';
import {
  attendTo,
  best,
  clear,
  everyQuery,
  exam,
  examine,
  type Ground,
  type Inputs,
  matrix,
  type Problem,
  problems,
  randomInputs,
  span,
} from './support/index.js';
import { remembered } from './support/remembered.js';
import { hadamard, indexerAt, indexerScore, int8 } from './support/straight-deepseek.js';

/** The best tokens of one query. */
function selection(inputs: Inputs, problem: Problem, { budget, quantised }: LightningOptions) {
  const coded = (x: readonly number[]) => (quantised ? int8(hadamard(x)) : x);
  const keys = problem.lengths.map((_, row) =>
    matrix(inputs.aux.indexerKey, problem, row, 0).map(coded),
  );
  return remembered((row, position) => {
    const { queries, weights } = indexerAt(inputs, problem, row, position);
    const indexQueries = queries.map(coded);
    const score = (token: number) => indexerScore(indexQueries, weights, keys[row][token]);
    return clear(best(score, span(0, position + 1), budget));
  });
}

/** Holds the strategy to plain loops; `values: 'key'`: the values are a prefix of the keys. */
async function hold(
  ground: Ground,
  problem: Problem,
  options: LightningOptions,
  values: 'own' | 'key',
): Promise<void> {
  const inputs = randomInputs(problem, lightning(options).requires, values);
  const selected = selection(inputs, problem, options);
  const scale = values === 'key' ? 0.7 : problem.headDim ** -0.5;
  const output = everyQuery(problem, ({ row, head, kvHead, position }) =>
    attendTo(selected(row, position), {
      query: matrix(inputs.query, problem, row, head)[position],
      keys: matrix(inputs.key, problem, row, kvHead),
      values: matrix(inputs.value ?? inputs.key, problem, row, kvHead),
      scale,
      width: problem.valueDim,
    }),
  );
  await examine(ground, problem, {
    strategy: () => lightning(options),
    inputs,
    output,
    options: { values, scale },
    reads: [({ row, position }) => selected(row, position)],
  });
}

const budget = fc.integer({ min: 1, max: 50 });
const indexHeads = fc.integer({ min: 1, max: 3 });
const plain = fc.record({ indexHeads, indexWidth: fc.integer({ min: 1, max: 6 }), budget });
const quantised = fc.record({
  indexHeads,
  indexWidth: fc.constantFrom(1, 2, 4, 8),
  budget,
  quantised: fc.constant(true),
});

/** Absorbed latent attention: one kv head, and values that are a prefix of the keys. */
const latent = problems({ kvHeads: 1, group: 6 }).map((problem) => ({
  ...problem,
  headDim: problem.valueDim + problem.headDim,
}));

export function testLightning(runner: Runner, suite: BackendSuite): void {
  runner.describe(`lightning, ${suite.name}`, () => {
    const best = 'reads the tokens that the indexer scores best, for all heads';
    exam(runner, suite, best, [problems(), plain], (ground, problem, options) =>
      hold(ground, problem, options, 'own'),
    );

    const coded = 'scores in int8 after a Hadamard transform of both sides';
    exam(runner, suite, coded, [problems(), quantised], (ground, problem, options) =>
      hold(ground, problem, options, 'own'),
    );

    const prefix = 'reads values that are a prefix of their keys';
    exam(runner, suite, prefix, [latent, fc.oneof(plain, quantised)], (ground, problem, options) =>
      hold(ground, problem, options, 'key'),
    );

    const wide = 'does so at the widths of DeepSeek-V3.2';
    exam(runner, { ...suite, cases: 1 }, wide, [fc.integer()], async (ground, seed) => {
      const problem: Problem = {
        ...{ seed, lengths: [30], kvHeads: 1, group: 2, headDim: 576, valueDim: 512 },
        ...{ pageSize: 64, queryChunk: 8, rollback: 3 },
      };
      const options = { indexHeads: 2, indexWidth: 128, budget: 12, quantised: true };
      await hold(ground, problem, options, 'key');
    });
  });
}
