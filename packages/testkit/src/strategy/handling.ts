import type { CallInputs, Tensor } from '@jit-attention/core';

import type { HostArray } from '../array.js';
import { assertSame } from '../compare.js';
import { callOf, type Inputs, mapValues } from '../inputs.js';
import type { Problem } from '../problem.js';
import type { Runner } from '../runner.js';
import { outputOf, prefill } from './calls.js';
import { property, type StrategySuite, type Subject } from './suite.js';

/** How inputs, results and plans are handled. That nothing is left alive is checked by every property. */
export function testHandling(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: handling`, () => {
    property(runner, suite, 'the same inputs give the same bits', repeats);
    property(runner, suite, 'inputs are neither changed nor taken over', leavesInputs);
    property(runner, suite, 'a kept plan repeats with the same bits', replays);
  });
}

async function repeats(problem: Problem, subject: Subject): Promise<void> {
  const inputs = subject.inputs(problem);
  const first = await prefill(subject.attention(problem), inputs);
  const second = await prefill(subject.attention(problem), inputs);
  assertSame('output', second.data, first.data);
}

/** Given as arrays, and as tensors. */
async function leavesInputs(problem: Problem, subject: Subject): Promise<void> {
  const attention = subject.attention(problem);
  const inputs = subject.inputs(problem);
  const arrays = arraysOf(inputs);
  const before = mapValues(arrays, ({ data }) => data.slice());
  const expected = await prefill(attention, inputs);
  for (const [name, { data }] of Object.entries(arrays)) assertSame(name, data, before[name]);

  const tensors = mapValues(arrays, ({ data, shape }) => subject.backend.tensor(data, { shape }));
  const sequence = attention.sequence({ batch: problem.lengths.length });
  const output = await outputOf(await sequence.attend(tensorCall(inputs, tensors)));
  assertSame('output', output.data, expected.data);
  for (const [name, tensor] of Object.entries(tensors)) {
    assertSame(name, await tensor.data(), before[name]);
    tensor.dispose();
  }
  sequence.dispose();
}

/** All arrays by name; auxiliary ones as `aux.name`. */
function arraysOf({ query, key, value, aux }: Inputs): Record<string, HostArray> {
  const named = Object.entries(aux).map(([name, array]) => [`aux.${name}`, array] as const);
  return { query, key, ...(value && { value }), ...Object.fromEntries(named) };
}

function tensorCall({ aux, lengths }: Inputs, tensors: Record<string, Tensor>): CallInputs {
  const { query, key, value } = tensors;
  return { query, key, value, aux: mapValues(aux, (_, name) => tensors[`aux.${name}`]), lengths };
}

/** A plan outlives its result when retained. */
async function replays(problem: Problem, subject: Subject): Promise<void> {
  const inputs = callOf(subject.inputs(problem));
  const attention = subject.attention(problem);
  const batch = problem.lengths.length;
  const [first, second] = [attention.sequence({ batch }), attention.sequence({ batch })];
  const result = await first.attend({ ...inputs, keepPlan: true });
  const plan = result.plan!.retain();
  const expected = await outputOf(result);
  const replayed = await outputOf(await second.attend({ ...inputs, plan }));
  assertSame('output', replayed.data, expected.data);
  for (const one of [plan, first, second]) one.dispose();
}
