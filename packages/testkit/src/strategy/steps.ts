import { assertClose } from '../compare.js';
import type { HostArray } from '../array.js';
import { callOf, type Inputs } from '../inputs.js';
import type { Problem } from '../problem.js';
import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { callsOf, inCalls, outputOf, queryBlockOf, run, unevenCalls } from './calls.js';
import { property, type StrategySuite, type Subject } from './suite.js';

/**
 * However a context is cut into calls and chunks, the outputs are the same: N decode steps are one prefill. Where
 * queries share a selection, cuts are made between those who share one.
 */
export function testSteps(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: steps`, () => {
    property(runner, suite, 'decode steps are one prefill', async (problem, subject) => {
      const { attention, inputs, expected, unit } = await whole(problem, subject);
      const calls = callsOf(problem.lengths, () => unit);
      assertSimilar(subject, await inCalls(attention, inputs, calls), expected);
    });
    property(runner, suite, 'uneven calls are one prefill', async (problem, subject) => {
      const { attention, inputs, expected, unit } = await whole(problem, subject);
      const calls = unevenCalls(problem.lengths, problem.seed, unit);
      assertSimilar(subject, await inCalls(attention, inputs, calls), expected);
    });
    property(runner, suite, 'chunks of queries are one prefill', async (problem, subject) => {
      const { inputs, expected, unit } = await whole(problem, subject);
      const queryChunk = unit * (1 + Math.floor(4 * uniform(problem.seed, 'chunk')()));
      const chunked = subject.attention(problem, { queryChunk });
      assertSimilar(subject, await run(chunked, inputs), expected);
    });
  });
}

/** One prefill, and how many of its queries share a selection. */
async function whole(problem: Problem, subject: Subject) {
  const attention = subject.attention(problem);
  const inputs: Inputs = subject.inputs(problem);
  const sequence = attention.sequence({ batch: problem.lengths.length });
  const result = await sequence.attend({ ...callOf(inputs), keepPlan: true });
  const unit = queryBlockOf(result.plan!);
  const expected = await outputOf(result);
  sequence.dispose();
  return { attention, inputs, expected, unit };
}

/** Within the tolerance of arithmetic. */
export function assertSimilar(subject: Subject, actual: HostArray, expected: HostArray): void {
  const { shape } = expected;
  assertClose('output', actual.data, expected.data, { tolerance: subject.tolerance.f32, shape });
}
