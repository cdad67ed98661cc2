import { reference, type Sequence } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { adaptive, type AdaptiveOptions } from '../../judges/adaptive.js';
import { lightning } from '../../judges/lightning.js';
import {
  attentionsOf,
  cutInputs,
  holds,
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

/** An attention object on a fresh backend, and its inputs. */
function setUp(problem: Problem, options: AdaptiveOptions) {
  const layer = { strategy: () => strategyOf(options), inputs: inputsOf(problem, options) };
  const backend = reference();
  const [attention] = attentionsOf(backend, problem, [layer]);
  return { backend, layer, attention };
}

const inputsOf = (problem: Problem, options: AdaptiveOptions) =>
  randomInputs(problem, strategyOf(options).requires);

describe('adaptive', () => {
  it('follows the audits of earlier steps, token by token and in calls, taken back and forked', () =>
    holds([problems(), options, size], async (problem, options, size) => {
      const whole = { ...problem, queryChunk: tokensOf(problem) };
      const { backend, layer, attention } = setUp(whole, options);
      const calls = callsOf(problem, size);
      const { output, readAt } = story(problem, layer.inputs, options, calls);
      const transcript = await walk(attention, problem, layer, calls);
      transcript.assertReads(0, ({ row, position }) => readAt(row, position));
      transcript.assertOutput(output);
      await new Promise((resolve) => setTimeout(resolve, 0)); // Audits that nobody waits for end.
      expect(backend.memory().tensors).toBe(0);
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
