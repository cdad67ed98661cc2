import { isSampled, reference, type Sequence } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { adaptive, type AdaptiveOptions } from '../../judges/adaptive.js';
import { lightning } from '../../judges/lightning.js';
import {
  attendCache,
  attentionsOf,
  best,
  type Call,
  clear,
  cutInputs,
  dot,
  everyQuery,
  headsOf,
  holds,
  type Inputs,
  mapInputs,
  matrix,
  noise,
  type Problem,
  problems,
  randomInputs,
  SequenceStack,
  softmax,
  span,
  Stack,
  sum,
  toArrays,
  tokensOf,
  Transcript,
  uniform,
} from './support/index.js';
import { indexerAt, indexerScore } from './support/straight-deepseek.js';
import { callsOf, walk } from './support/walk.js';

const INDEXER = { indexHeads: 2, indexWidth: 3 };
const strategyOf = (options: AdaptiveOptions) =>
  adaptive((budget) => lightning({ ...INDEXER, budget }), options);

const options: fc.Arbitrary<AdaptiveOptions> = fc
  .record({
    limits: fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 3, maxLength: 3 }),
    target: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
    delay: fc.integer({ min: 1, max: 4 }),
    sample: fc.constantFrom(1, 0.5),
    seed: fc.integer(),
  })
  .map(({ limits, ...rest }) => {
    const [min, start, max] = limits.sort((a, b) => a - b);
    return { min, start, max, ...rest };
  });

const size = fc.integer({ min: 1, max: 4 });

/** The 5th percentile, between the two nearest ranks. */
function p5(sample: readonly number[]): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const rank = 0.05 * (sorted.length - 1);
  const below = Math.floor(rank);
  const [low, high] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]];
  return low + (rank - below) * (high - low);
}

/** The whole story by hand: each step's budget, what is read by it, and what its audit finds. */
function story(problem: Problem, inputs: Inputs, options: AdaptiveOptions, steps: readonly Call[]) {
  const { min, max, target, delay } = options;
  const read = reader(problem, inputs);
  const recalls: (number | undefined)[] = [];
  const reads = new Map<string, readonly number[]>();
  const budgets: number[] = [];
  for (const [i, step] of steps.entries()) {
    let budget = budgets[i - 1] ?? options.start;
    const recall = recalls[i - delay];
    if (recall !== undefined) {
      fc.pre(Math.abs(recall - target) > 1e-5); // Audits read log-sum-exps back as f32.
      budget = recall < target ? Math.min(max, 2 * budget) : Math.max(min, budget - 1);
    }
    budgets.push(budget);
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

/** An attention object on a fresh backend, and its inputs. */
function setUp(problem: Problem, options: AdaptiveOptions) {
  const layer = { strategy: () => strategyOf(options), inputs: inputsOf(problem, options) };
  const backend = reference();
  const [attention] = attentionsOf(backend, problem, [layer]);
  return { layer, attention };
}

const inputsOf = (problem: Problem, options: AdaptiveOptions) =>
  randomInputs(problem, strategyOf(options).requires);

describe('adaptive', () => {
  it('follows the audits of earlier steps, token by token and in calls, taken back and forked', () =>
    holds([problems(), options, size], async (problem, options, size) => {
      const whole = { ...problem, queryChunk: tokensOf(problem) };
      const { layer, attention } = setUp(whole, options);
      const calls = callsOf(problem, size);
      const { output, readAt } = story(problem, layer.inputs, options, calls);
      const transcript = await walk(attention, problem, layer, calls);
      transcript.assertReads(0, ({ row, position }) => readAt(row, position));
      transcript.assertOutput(output);
    }));

  it('takes a chunk of queries for a step, in a call of a sequence as in a run', () =>
    holds([problems(), options], async (problem, options) => {
      const { layer, attention } = setUp(problem, options);
      const chunks = callsOf(problem, problem.queryChunk);
      const { output } = story(problem, layer.inputs, options, chunks);
      const [all] = callsOf(problem, tokensOf(problem));
      const sequence = new SequenceStack(
        [layer],
        [attention.sequence({ batch: problem.lengths.length })],
      );
      const run = new Stack([layer], (inputs) =>
        attention.run({ ...inputs, batch: problem.lengths.length }),
      );
      for (const [name, stack] of Object.entries({ sequence, run })) {
        const transcript = new Transcript(name, problem);
        const [result] = await stack.call([layer.inputs], all.counts);
        await transcript.add(result, all.start, all.counts);
        transcript.assertOutput(output);
        result.dispose();
        stack.dispose();
      }
    }));

  it('forgets a call that was aborted half-way', () =>
    holds([problems({ batch: 1 }), options], async (problem, options) => {
      const steps = { ...problem, queryChunk: 1 };
      const { layer, attention } = setUp(steps, options);
      const calls = callsOf(problem, 1);
      const { output } = story(problem, layer.inputs, options, calls);
      const sequence = attention.sequence();
      const transcript = new Transcript('aborted', problem);
      for (const call of calls) {
        await abortHalfWay(sequence, problem, layer.inputs);
        const result = await sequence.attend(toArrays(cutInputs(layer.inputs, call)));
        await transcript.add(result, call.start, call.counts);
      }
      transcript.assertOutput(output);
    }));
});

/** A call of wrong tokens, a chunk each, that is aborted after the first. */
async function abortHalfWay(sequence: Sequence, problem: Problem, inputs: Inputs): Promise<void> {
  const before = sequence.length;
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 0);
  const wrong = mapInputs(inputs, (rows) => noise(rows, 1, 3, uniform(problem.seed)));
  const call = sequence.attend({ ...toArrays(wrong), signal: controller.signal });
  await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
  expect(sequence.length).toBe(before);
}
