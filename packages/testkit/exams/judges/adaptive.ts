import type { Sequence } from '@jit-attention/core';
import fc from 'fast-check';

import { Bench } from '../../src/backend/bench.js';
import type { BackendSuite } from '../../src/backend/suite.js';
import { assertFails } from '../../src/failure.js';
import type { Runner } from '../../src/runner.js';
import { adaptive, type AdaptiveOptions } from '../../judges/adaptive.js';
import { lightning } from '../../judges/lightning.js';
import {
  attentionsOf,
  cutInputs,
  exam,
  type Ground,
  type Inputs,
  mapInputs,
  noise,
  type Problem,
  problems,
  randomInputs,
  SequenceStack,
  Stack,
  toArrays,
  tokensOf,
  Transcript,
  uniform,
} from './support/index.js';
import { story } from './support/straight-adaptive.js';
import { callsOf, walk } from './support/walk.js';

const INDEXER = { indexHeads: 2, indexWidth: 3 };
const strategyOf = (options: AdaptiveOptions) =>
  adaptive((budget) => lightning({ ...INDEXER, budget }), options);

const cases: fc.Arbitrary<AdaptiveOptions> = fc
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

/** An attention object, and its inputs. */
function setUp({ backend }: Ground, problem: Problem, options: AdaptiveOptions) {
  const layer = { strategy: () => strategyOf(options), inputs: inputsOf(problem, options) };
  const [attention] = attentionsOf(new Bench(backend), problem, [layer]);
  return { layer, attention };
}

const inputsOf = (problem: Problem, options: AdaptiveOptions) =>
  randomInputs(problem, strategyOf(options).requires);

export function testAdaptive(runner: Runner, suite: BackendSuite): void {
  runner.describe(`adaptive, ${suite.name}`, () => {
    const follows =
      'follows the audits of earlier steps, token by token and in calls, taken back and forked';
    exam(runner, suite, follows, [problems(), cases, size], followsAudits);

    const chunks = 'takes a chunk of queries for a step, in a call of a sequence as in a run';
    exam(runner, suite, chunks, [problems(), cases], stepsByChunks);

    const forgets = 'forgets a call that was aborted half-way';
    exam(runner, suite, forgets, [problems({ batch: 1 }), cases], forgetsAborted);
  });
}

async function followsAudits(
  ground: Ground,
  problem: Problem,
  options: AdaptiveOptions,
  size: number,
): Promise<void> {
  const whole = { ...problem, queryChunk: tokensOf(problem) };
  const { layer, attention } = setUp(ground, whole, options);
  const calls = callsOf(problem, size);
  const { output, readAt } = story(problem, layer.inputs, options, calls);
  const transcript = await walk(attention, problem, layer, calls);
  transcript.assertReads(0, ({ row, position }) => readAt(row, position));
  transcript.assertOutput(output, ground.tolerance);
  await auditsEnd();
}

async function stepsByChunks(
  ground: Ground,
  problem: Problem,
  options: AdaptiveOptions,
): Promise<void> {
  const { layer, attention } = setUp(ground, problem, options);
  const chunks = callsOf(problem, problem.queryChunk);
  const { output } = story(problem, layer.inputs, options, chunks);
  const [all] = callsOf(problem, tokensOf(problem));
  const batch = problem.lengths.length;
  const sequence = new SequenceStack([layer], [attention.sequence({ batch })]);
  const run = new Stack([layer], (inputs) => attention.run({ ...inputs, batch }));
  for (const [name, stack] of Object.entries({ sequence, run })) {
    const transcript = new Transcript(name, problem);
    const [result] = await stack.call([layer.inputs], all.counts);
    await transcript.add(result, all.start, all.counts);
    transcript.assertOutput(output, ground.tolerance);
    result.dispose();
    stack.dispose();
  }
  await auditsEnd();
}

async function forgetsAborted(
  ground: Ground,
  problem: Problem,
  options: AdaptiveOptions,
): Promise<void> {
  const steps = { ...problem, queryChunk: 1 };
  const { layer, attention } = setUp(ground, steps, options);
  const calls = callsOf(problem, 1);
  const { output } = story(problem, layer.inputs, options, calls);
  const sequence = attention.sequence();
  const transcript = new Transcript('aborted', problem);
  for (const call of calls) {
    await abortHalfWay(sequence, problem, layer.inputs);
    const result = await sequence.attend(toArrays(cutInputs(layer.inputs, call)));
    await transcript.add(result, call.start, call.counts);
    result.dispose();
  }
  transcript.assertOutput(output, ground.tolerance);
  sequence.dispose();
  await auditsEnd();
}

/** Audits that nobody waits for hold tensors until they end. */
const auditsEnd = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** A call of wrong tokens, a chunk each, that is aborted after the first. */
async function abortHalfWay(sequence: Sequence, problem: Problem, inputs: Inputs): Promise<void> {
  const before = sequence.length;
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 0);
  const wrong = mapInputs(inputs, (rows) => noise(rows, 1, 3, uniform(problem.seed)));
  await assertFails('ABORTED', () =>
    sequence.attend({ ...toArrays(wrong), signal: controller.signal }),
  );
  if (sequence.length !== before)
    throw new Error(`expected ${before} tokens after the abort, got ${sequence.length}`);
}
