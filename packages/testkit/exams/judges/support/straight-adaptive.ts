import { isSampled } from '@jit-attention/core';
import fc from 'fast-check';

import type { AdaptiveOptions } from '../../../judges/adaptive.js';
import { type Inputs, matrix } from './inputs.js';
import { headsOf, type Problem } from './problem.js';
import type { Call } from './stack.js';
import { indexerAt, indexerScore } from './straight-deepseek.js';
import { attendCache, best, clear, dot, everyQuery, softmax, span, sum } from './straight.js';

/** The 5th percentile, between the two nearest ranks. */
function p5(sample: readonly number[]): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const rank = 0.05 * (sorted.length - 1);
  const below = Math.floor(rank);
  const [low, high] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]];
  return low + (rank - below) * (high - low);
}

/** Adaptive lightning by hand: each step's budget, what is read by it, and what its audit finds. */
export function story(
  problem: Problem,
  inputs: Inputs,
  options: AdaptiveOptions,
  steps: readonly Call[],
): { output: Float64Array; readAt: (row: number, position: number) => readonly number[] } {
  const { min, max, target, delay } = options;
  const read = reader(problem, inputs);
  const recalls: (number | undefined)[] = [];
  const reads = new Map<string, readonly number[]>();
  let budget = options.start;
  for (const [i, step] of steps.entries()) {
    const recall = recalls[i - delay];
    if (recall !== undefined) {
      fc.pre(Math.abs(recall - target) > 1e-5); // Audits read log-sum-exps back as f32.
      budget = recall < target ? Math.min(max, 2 * budget) : Math.max(min, budget - 1);
    }
    for (const [row, position] of queriesOf(step))
      reads.set(`${row},${position}`, read(row, position, budget));
    recalls.push(audited(problem, inputs, options, step, reads));
  }
  const readAt = (row: number, position: number) => reads.get(`${row},${position}`)!;
  const output = everyQuery(problem, (place) =>
    attendCache(problem, inputs, place, readAt(place.row, place.position)),
  );
  return { output, readAt };
}

/** What the indexer picks at a budget. */
function reader(problem: Problem, inputs: Inputs) {
  const keys = problem.lengths.map((_, row) => matrix(inputs.aux.indexerKey, problem, row, 0));
  return (row: number, position: number, budget: number): number[] => {
    const { queries, weights } = indexerAt(inputs, problem, row, position);
    const score = (token: number) => indexerScore(queries, weights, keys[row][token]);
    return clear(best(score, span(0, position + 1), budget));
  };
}

const queriesOf = ({ start, counts }: Call): [row: number, position: number][] =>
  start.flatMap((from, row) =>
    span(from, from + counts[row]).map((position): [number, number] => [row, position]),
  );

/** 5th percentile of the softmax mass that was read, over sampled queries and all heads; none: undefined. */
function audited(
  problem: Problem,
  inputs: Inputs,
  options: AdaptiveOptions,
  step: Call,
  reads: ReadonlyMap<string, readonly number[]>,
): number | undefined {
  const sampled = queriesOf(step).filter(([row, position]) => isSampled(options, row, position));
  const masses = sampled.flatMap(([row, position]) =>
    span(0, headsOf(problem)).map((head) => {
      const query = matrix(inputs.query, problem, row, head)[position];
      const keys = matrix(inputs.key, problem, row, Math.floor(head / problem.group));
      const logits = keys.slice(0, position + 1).map((key) => dot(query, key));
      const shares = softmax(logits.map((logit) => problem.headDim ** -0.5 * logit));
      return sum(reads.get(`${row},${position}`)!.map((id) => shares[id]));
    }),
  );
  return masses.length > 0 ? p5(masses) : undefined;
}
