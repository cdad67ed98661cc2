import type { Sequence } from '@jit-attention/core';

import { callOf, cutInputs, type Inputs, mapInputs, numbersFor, starts } from '../inputs.js';
import type { Problem } from '../problem.js';
import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { inCalls, unevenCalls } from './calls.js';
import { assertSimilar } from './steps.js';
import { property, type StrategySuite, type Subject } from './suite.js';

/** Entries a layer of these tests can be truncated by. */
const ROLLBACK = 9;

/** Going back, and going two ways. */
export function testRewind(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: truncating and forking`, () => {
    const truncated = 'truncating and going on is never having gone wrong';
    property(runner, suite, truncated, (problem, subject) =>
      leavesNoTrace(problem, subject, takeBack),
    );
    const forked = 'a fork and its parent do not see what the other appends';
    property(runner, suite, forked, (problem, subject) =>
      leavesNoTrace(problem, subject, goAstray),
    );
  });
}

/** Before a call, goes wrong with these inputs, and gives the sequence that is to go on. */
type Detour = (sequence: Sequence, wrong: Inputs, call: number) => Promise<Sequence>;

const takeBack: Detour = async (sequence, wrong) => {
  const lengths = sequence.lengths;
  await discard(sequence, wrong);
  sequence.truncate(lengths);
  return sequence;
};

/** Parent and fork in turns: one goes wrong and ends, the other goes on. */
const goAstray: Detour = async (sequence, wrong, call) => {
  const fork = sequence.fork();
  const [lost, kept] = call % 2 === 0 ? [sequence, fork] : [fork, sequence];
  await discard(lost, wrong);
  lost.dispose();
  return kept;
};

/** One call whose output nobody reads. */
async function discard(sequence: Sequence, inputs: Inputs): Promise<void> {
  (await sequence.attend(callOf(inputs))).dispose();
}

async function leavesNoTrace(problem: Problem, subject: Subject, detour: Detour): Promise<void> {
  const attention = subject.attention(problem, { rollback: ROLLBACK });
  const inputs = subject.inputs(problem);
  const wrong = wrongInputs(problem, inputs);
  const next = uniform(problem.seed, 'wrong');
  const calls = unevenCalls(problem.lengths, problem.seed);
  const expected = await inCalls(attention, inputs, calls);
  const actual = await inCalls(attention, inputs, calls, (sequence, call) => {
    const tokens = wrong.lengths.map((length) => 1 + Math.floor(length * next()));
    return detour(sequence, cutInputs(wrong, starts(tokens), tokens), call);
  });
  assertSimilar(subject, actual, expected);
}

/** {@link ROLLBACK} tokens a row that do not belong there. */
function wrongInputs(problem: Problem, inputs: Inputs): Inputs {
  return mapInputs(
    inputs,
    ({ shape: [batch, heads, , width] }, name) =>
      numbersFor(problem, `wrong ${name}`, [batch, heads, ROLLBACK, width]),
    problem.lengths.map(() => ROLLBACK),
  );
}
