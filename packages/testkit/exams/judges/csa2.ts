import fc from 'fast-check';

import type { Bench } from '../../src/backend/bench.js';
import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { csa2, csa2Reindex } from '../../judges/csa2.js';
import { csa2Reuse } from '../../judges/csa2-reuse.js';
import {
  best,
  clear,
  dot,
  everyQuery,
  exam,
  examine,
  type Inputs,
  type LayerExam,
  matrix,
  randomInputs,
  requiresOf,
  span,
} from './support/index.js';
import { latentProblems, type LatentProblem, learned, sinkLogits } from './support/latent.js';
import { remembered } from './support/remembered.js';
import {
  attendBesideSink,
  indexerAt,
  indexerScore,
  pooledGroups,
  rmsNorm,
  ropeGroups,
} from './support/straight-deepseek.js';

const count = (max: number) => fc.integer({ min: 1, max });
const sizes = fc.record({
  ratio: count(3),
  window: count(9),
  budget: count(10),
  indexHeads: count(3),
  candidates: fc.option(fc.record({ blocks: count(6), size: count(4) }), { nil: undefined }),
});
type Sizes = typeof sizes extends fc.Arbitrary<infer T> ? T : never;
const INDEX_WIDTH = 5;
const EPS = 1e-20;

type Select = (row: number, position: number) => number[];

function learnedBy(problem: LatentProblem) {
  return {
    norm: learned(problem, 'norm', problem.headDim),
    projection: learned(problem, 'projection', INDEX_WIDTH, problem.headDim),
    indexNorm: learned(problem, 'indexNorm', INDEX_WIDTH),
  };
}

/** Strategies of a stack, the lowest layer first. */
function strategiesOf(problem: LatentProblem, sizes: Sizes) {
  const { frequencies } = problem;
  const { norm, projection, indexNorm } = learnedBy(problem);
  const layer = { ...sizes, indexWidth: INDEX_WIDTH };
  const full = (bench: Bench) =>
    csa2({
      ...layer,
      frequencies,
      norm: norm.on(bench),
      projection: projection.on(bench),
      indexNorm: indexNorm.on(bench),
    });
  return [full, () => csa2Reuse(layer), () => csa2Reindex(layer), () => csa2Reuse(layer)];
}

/** Entries and index keys of each batch row. */
function compressed(problem: LatentProblem, { aux }: Inputs, { ratio }: Sizes) {
  const { headDim: width, frequencies } = problem;
  const { norm, projection, indexNorm } = learnedBy(problem);
  return problem.lengths.map((_, row) => {
    const values = matrix(aux.entryValues, problem, row, 0);
    const gates = aux.entryGates && matrix(aux.entryGates, problem, row, 0);
    const pooled = pooledGroups({ values, gates, ratio, width, overlapping: false });
    const latents = pooled.map((entry) => rmsNorm(entry, norm.rows[0], EPS));
    const projected = latents.map((latent) => projection.rows.map((to) => dot(to, latent)));
    const keys = projected.map((key) => rmsNorm(key, indexNorm.rows[0], EPS));
    return {
      entries: ropeGroups(latents, ratio, frequencies),
      keys: ropeGroups(keys, ratio, frequencies),
    };
  });
}

/** What each layer of the stack selects. */
function selections(
  problem: LatentProblem,
  layers: readonly Inputs[],
  made: ReturnType<typeof compressed>,
  { ratio, budget, candidates }: Sizes,
): Select[] {
  const visible = (position: number) => Math.floor((position + 1) / ratio);
  const scoreOf = (layer: number, row: number, position: number) => {
    const { queries, weights } = indexerAt(layers[layer], problem, row, position);
    return (entry: number) => indexerScore(queries, weights, made[row].keys[entry]);
  };
  const inside = remembered((row, position) => {
    const entries = span(0, visible(position));
    if (!candidates || entries.length === 0) return entries;
    const blockOf = (entry: number) => Math.floor(entry / candidates.size);
    const score = scoreOf(0, row, position);
    const blockScore = (block: number) =>
      Math.max(...entries.filter((entry) => blockOf(entry) === block).map(score));
    const newest = blockOf(entries.length - 1);
    const kept = clear(best(blockScore, span(0, newest + 1), candidates.blocks, [newest]));
    return entries.filter((entry) => kept.includes(blockOf(entry)));
  });
  const full = remembered((row, position) =>
    clear(best(scoreOf(0, row, position), span(0, visible(position)), budget)),
  );
  const reindexed = remembered((row, position) =>
    clear(best(scoreOf(2, row, position), inside(row, position), budget)),
  );
  return [full, full, reindexed, reindexed];
}

export function testCsa2(runner: Runner, suite: BackendSuite): void {
  runner.describe(`csa2, ${suite.name}`, () => {
    const hands =
      'hands entries, index keys and selections from a full layer to those that reuse and reindex';
    exam(runner, suite, hands, [latentProblems(), sizes], async (ground, problem, sizes) => {
      const { headDim, valueDim } = problem;
      const strategies = strategiesOf(problem, sizes);
      const inputs = strategies.map((strategy, i) =>
        randomInputs({ ...problem, seed: problem.seed + i }, requiresOf({ strategy }), 'key'),
      );
      const made = compressed(problem, inputs[0], sizes);
      const selected = selections(problem, inputs, made, sizes);
      const recent = (position: number) =>
        span(Math.max(0, position + 1 - sizes.window), position + 1);
      const sinks = sinkLogits(problem);

      const layers = strategies.map((strategy, i): LayerExam => ({
        strategy,
        inputs: inputs[i],
        from: i === 0 ? undefined : 'layer',
        options: { values: 'key', sinkLogits: sinks },
        output: everyQuery(problem, ({ row, head, position }) => {
          const keys = matrix(inputs[i].key, problem, row, 0);
          const read = [
            ...recent(position).map((token) => keys[token]),
            ...selected[i](row, position).map((entry) => made[row].entries[entry]),
          ];
          const query = matrix(inputs[i].query, problem, row, head)[position];
          const sink = sinks[head];
          return attendBesideSink(query, read, { scale: headDim ** -0.5, sink, width: valueDim });
        }),
        reads: [
          ({ position }) => recent(position),
          ({ row, position }) => selected[i](row, position),
        ],
      }));
      await examine(ground, problem, ...layers);
    });
  });
}
