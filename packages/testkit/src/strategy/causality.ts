import { concat, cut } from '../array.js';
import { callOf, type Inputs, mapInputs, numbersFor } from '../inputs.js';
import { type Problem, tokensOf } from '../problem.js';
import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { prefill, queryBlockOf } from './calls.js';
import { assertSimilar } from './steps.js';
import { property, type StrategySuite, type Subject } from './suite.js';

/** A causal query does not depend on what comes after it, or after those it shares a selection with. */
export function testCausality(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: causality`, () => {
    property(runner, suite, 'what comes later changes nothing', ignoresTheFuture);
  });
}

async function ignoresTheFuture(problem: Problem, subject: Subject): Promise<void> {
  const attention = subject.attention(problem);
  const inputs = subject.inputs(problem);
  const probe = await attention.run({
    ...callOf(inputs),
    batch: problem.lengths.length,
    keepPlan: true,
  });
  const unit = queryBlockOf(probe.plan!);
  probe.dispose();
  const blocks = Math.ceil(tokensOf(problem) / unit);
  const now = unit * Math.floor(blocks * uniform(problem.seed, 'now')());
  const expected = await prefill(attention, inputs);
  const actual = await prefill(attention, otherFuture(inputs, problem, now));
  assertSimilar(subject, cut(actual, 2, 0, now), cut(expected, 2, 0, now));
}

/** Other numbers from a token on. */
function otherFuture(inputs: Inputs, problem: Problem, from: number): Inputs {
  return mapInputs(inputs, (array, name) => {
    const past = cut(array, 2, 0, from);
    const { shape, data } = numbersFor(problem, `future ${name}`, array.shape);
    const future = { shape, data: data.map((value) => 100 * value) };
    return concat([past, cut(future, 2, from, shape[2])], 2);
  });
}
