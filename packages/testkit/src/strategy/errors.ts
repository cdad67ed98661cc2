import {
  type Attention,
  type AttentionOptions,
  type CallInputs,
  type ErrorCode,
  type KeptPlan,
  reference,
  type Tensor,
} from '@jit-attention/core';

import { assertSame } from '../compare.js';
import { assertFails } from '../failure.js';
import { callOf, type Inputs } from '../inputs.js';
import { type Problem, tokensOf } from '../problem.js';
import type { Runner } from '../runner.js';
import { attend, outputOf, prefill } from './calls.js';
import { assertSimilar } from './steps.js';
import { property, type StrategySuite, type Subject } from './suite.js';

/** Wrong use has a name, says what was expected and what came, and changes nothing. */
export function testErrors(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: wrong use`, () => {
    property(runner, suite, 'a call that fails leaves the sequence as it was', leavesSequence);
    property(runner, suite, 'options without sense are refused', refusesOptions);
    property(runner, suite, 'a disposed sequence is refused', refusesDisposed);
    const encoder = 'attention that is not causal is refused';
    property(runner, suite, encoder, refusesEncoder, {
      unless: ({ supports }) => (supports.bidirectional ? 'supports.bidirectional' : undefined),
    });
  });
}

/** Every wrong call there is, then the right one: as if nothing had been. */
async function leavesSequence(problem: Problem, subject: Subject): Promise<void> {
  const attention = subject.attention(problem);
  const inputs = subject.inputs(problem);
  const expected = await prefill(attention, inputs);
  const batch = problem.lengths.length;
  const sequence = attention.sequence({ batch, capacity: tokensOf(problem) });
  const plan = await laterPlan(attention, inputs);
  const held = sequence.bytes;
  for (const [code, call] of wrongCalls(inputs, subject, attention, plan)) {
    await assertFails(code, () => sequence.attend(call));
    assertSame(`bytes after ${code}`, [sequence.bytes], [held]);
    assertSame(`lengths after ${code}`, sequence.lengths, new Array<number>(batch).fill(0));
  }
  plan.dispose();
  assertSimilar(subject, await attend(sequence, inputs), expected);
  await assertFails('CAPACITY_EXCEEDED', () => sequence.attend(callOf(inputs)));
  assertSame('lengths', sequence.lengths, problem.lengths);
  sequence.dispose();
}

/** The plan of a second call: at other positions than a first one's. */
async function laterPlan(attention: Attention, inputs: Inputs): Promise<KeptPlan> {
  const sequence = attention.sequence({ batch: inputs.lengths.length });
  await attend(sequence, inputs);
  const result = await sequence.attend({ ...callOf(inputs), keepPlan: true });
  const plan = result.plan!.retain();
  await outputOf(result);
  sequence.dispose();
  return plan;
}

function wrongCalls(
  inputs: Inputs,
  { backend }: Subject,
  { strategy }: Attention,
  plan: KeptPlan,
): (readonly [ErrorCode, CallInputs])[] {
  const right = callOf(inputs);
  const { shape, data } = inputs.query;
  const disposed = backend.tensor(data, { shape });
  disposed.dispose();
  const foreign: Tensor = reference().tensor(data, { shape });
  const value: (readonly [ErrorCode, CallInputs])[] = inputs.value
    ? [['MISSING_INPUT', { ...right, value: undefined }]]
    : [['INVALID_OPTION', { ...right, value: inputs.key.data }]];
  const aux: typeof value = strategy.requires ? [['MISSING_INPUT', { ...right, aux: {} }]] : [];
  return [
    ['INVALID_SHAPE', { ...right, query: data.subarray(1) }],
    ['INVALID_SHAPE', { ...right, key: new Float32Array(0) }],
    ['INVALID_OPTION', { ...right, lengths: [-1] }],
    ['INVALID_OPTION', { ...right, lengths: inputs.lengths.map(() => 1.5) }],
    ['TENSOR_DISPOSED', { ...right, query: disposed }],
    ['BACKEND_MISMATCH', { ...right, query: foreign }],
    ['PLAN_MISMATCH', { ...right, plan }],
    ['ABORTED', { ...right, signal: AbortSignal.abort() }],
    ...value,
    ...aux,
  ];
}

function refusesOptions(problem: Problem, subject: Subject): Promise<void> {
  const wrong: Partial<AttentionOptions>[] = [
    { scale: NaN },
    { scale: Infinity },
    { scale: 0 },
    { heads: problem.kvHeads + 0.5 },
    { headDim: 0 },
    { headDim: 577 },
    { pageSize: -1 },
    { queryChunk: NaN },
    { rollback: -1 },
    { softcap: -1 },
    { sinkLogits: [] },
  ];
  const checks = wrong.map((options) =>
    assertFails('INVALID_OPTION', () => subject.attention(problem, options)),
  );
  return Promise.all(checks).then(() => undefined);
}

async function refusesDisposed(problem: Problem, subject: Subject): Promise<void> {
  const inputs = subject.inputs(problem);
  const sequence = subject.attention(problem).sequence({ batch: problem.lengths.length });
  await attend(sequence, inputs);
  sequence.dispose();
  sequence.dispose();
  await assertFails('SEQUENCE_DISPOSED', () => sequence.attend(callOf(inputs)));
  await assertFails('SEQUENCE_DISPOSED', () => sequence.fork());
  await assertFails('SEQUENCE_DISPOSED', () => sequence.truncate(0));
}

async function refusesEncoder(problem: Problem, subject: Subject): Promise<void> {
  const batch = problem.lengths.length;
  const call = { ...callOf(subject.inputs(problem)), batch, causal: false };
  await assertFails('UNSUPPORTED', () => subject.attention(problem).run(call));
}
