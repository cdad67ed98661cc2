import fc from 'fast-check';

import type { Bench } from '../../src/backend/bench.js';
import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { csa } from '../../judges/csa.js';
import {
  best,
  clear,
  everyQuery,
  exam,
  examine,
  type Ground,
  matrix,
  randomInputs,
  requiresOf,
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
async function hold(ground: Ground, problem: LatentProblem, options: Sizes): Promise<void> {
  const { headDim, valueDim, frequencies } = problem;
  const { ratio, window, budget, indexWidth, indexDtype } = options;
  const norm = learned(problem, 'norm', headDim);
  const indexNorm = learned(problem, 'indexNorm', indexWidth);
  const strategy = (bench: Bench) =>
    csa({ ...options, norm: norm.on(bench), indexNorm: indexNorm.on(bench), frequencies });
  const inputs = randomInputs(problem, requiresOf({ strategy }), 'key');
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

  await examine(ground, problem, {
    strategy,
    inputs,
    output,
    options: { values: 'key', sinkLogits: sinks },
    reads: [({ position }) => recent(position), ({ row, position }) => selected(row, position)],
  });
}

export function testCsa(runner: Runner, suite: BackendSuite): void {
  runner.describe(`csa, ${suite.name}`, () => {
    const best = 'reads the best overlapping entries, beside the window and a sink, in one softmax';
    exam(runner, suite, best, [latentProblems(), sizes], hold);

    const wide = 'does so at the widths of DeepSeek-V4';
    exam(runner, { ...suite, cases: 1 }, wide, [fc.integer()], async (ground, seed) => {
      const problem: LatentProblem = {
        ...{ seed, lengths: [30], kvHeads: 1, group: 2, headDim: 512, valueDim: 512 },
        ...{ pageSize: 64, queryChunk: 8, rollback: 3 },
        frequencies: span(0, 32).map((pair) => 160000 ** (-pair / 32)),
      };
      const index = { indexHeads: 2, indexWidth: 128, indexDtype: 'i8' } as const;
      await hold(ground, problem, { ratio: 4, window: 8, budget: 3, ...index });
    });
  });
}
