import { type AttentionStrategy, audit, union } from '@jit-attention/core';

import { assertSame } from '../compare.js';
import { callOf } from '../inputs.js';
import type { Problem } from '../problem.js';
import type { Runner } from '../runner.js';
import { outputOf, prefill } from './calls.js';
import { assertSimilar } from './steps.js';
import { property, type StrategySuite, type Subject } from './suite.js';

const unless = ({ supports }: AttentionStrategy): string | undefined =>
  supports.exact ? undefined : 'supports.exact is false';

/** Core's wrappers work round every exact strategy. */
export function testWrappers(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: wrapped`, () => {
    const audited = 'audit() changes no output and finds a recall from 0 to 1';
    property(runner, suite, audited, isAudited, { unless });
    const twice = 'union() with itself changes nothing';
    property(runner, suite, twice, isUnited, { unless });
  });
}

async function isAudited(problem: Problem, subject: Subject): Promise<void> {
  const inputs = subject.inputs(problem);
  const expected = await prefill(subject.attention(problem), inputs);
  const audited = subject.wrapped((strategy) => audit(strategy, { sample: 1 })).attention(problem);
  const sequence = audited.sequence({ batch: problem.lengths.length });
  const result = await sequence.attend(callOf(inputs));
  const { recall, outputError } = await result.stats();
  assertSame('output', (await outputOf(result)).data, expected.data);
  sequence.dispose();
  const isShare = (share: number): boolean => share >= 0 && share <= 1;
  if (!recall || !Object.values(recall).every(isShare))
    throw new Error(`recall: expected shares from 0 to 1, got ${JSON.stringify(recall)}`);
  if (!(outputError! >= 0)) throw new Error(`outputError: expected at least 0, got ${outputError}`);
}

async function isUnited(problem: Problem, subject: Subject): Promise<void> {
  const inputs = subject.inputs(problem);
  const expected = await prefill(subject.attention(problem), inputs);
  const both = subject.wrapped((strategy) => union(strategy, strategy)).attention(problem);
  assertSimilar(subject, await prefill(both, inputs), expected);
}
