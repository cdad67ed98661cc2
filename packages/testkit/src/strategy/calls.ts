import {
  type Attention,
  type AttentionResult,
  type CallInputs,
  type KeptPlan,
  type RunInputs,
  type Selection,
  type Sequence,
} from '@jit-attention/core';

import { type HostArray, hostOf, sizeOf } from '../array.js';
import { callOf, cutInputs, type Inputs } from '../inputs.js';
import { uniform } from '../random.js';

/** Tokens `[start[row], end[row])` of each batch row. */
export interface Call {
  readonly start: readonly number[];
  readonly end: readonly number[];
}

/** Cuts batch rows into calls of `size` tokens each, row by row; the last of a row brings what is left. */
export function callsOf(lengths: readonly number[], size: (row: number) => number): Call[] {
  const calls: Call[] = [];
  let start = lengths.map(() => 0);
  while (start.some((at, row) => at < lengths[row])) {
    const end = start.map((at, row) => Math.min(lengths[row], at + size(row)));
    if (end.some((to, row) => to > start[row])) calls.push({ start, end });
    start = end;
  }
  return calls;
}

/** Calls of an uneven number of tokens, multiples of `unit`; some rows pause. */
export function unevenCalls(lengths: readonly number[], seed: number, unit = 1): Call[] {
  const next = uniform(seed, 'calls');
  return callsOf(lengths, () => unit * Math.floor(8 * next()));
}

type Options = Omit<CallInputs, 'query' | 'key' | 'value' | 'aux' | 'lengths'>;

/** One call of a sequence; its output. */
export async function attend(
  sequence: Sequence,
  inputs: Inputs,
  options: Options = {},
): Promise<HostArray> {
  return outputOf(await sequence.attend({ ...callOf(inputs), ...options }));
}

/** One shot; its output. */
export async function run(
  attention: Attention,
  inputs: Inputs,
  options: Partial<RunInputs> = {},
): Promise<HostArray> {
  const batch = inputs.lengths.length;
  return outputOf(await attention.run({ ...callOf(inputs), batch, ...options }));
}

export async function outputOf(result: AttentionResult): Promise<HostArray> {
  const output = await hostOf(result.output);
  result.dispose();
  return output;
}

/** Everything in one call of a new sequence. */
export async function prefill(attention: Attention, inputs: Inputs): Promise<HostArray> {
  const sequence = attention.sequence({ batch: inputs.lengths.length });
  const output = await attend(sequence, inputs);
  sequence.dispose();
  return output;
}

/** Calls of a new sequence, their outputs put together. `before` each, something may happen that must not matter. */
export async function inCalls(
  attention: Attention,
  inputs: Inputs,
  calls: readonly Call[],
  before: (sequence: Sequence, call: number) => Promise<Sequence> = (one) => Promise.resolve(one),
): Promise<HostArray> {
  const [batch, heads, tokens] = inputs.query.shape;
  const { valueDim } = attention.layer;
  const shape = [batch, heads, tokens, valueDim];
  const whole = { shape, data: new Float32Array(sizeOf(shape)) };
  const results: AttentionResult[] = [];
  let sequence = attention.sequence({ batch });
  for (const [i, call] of calls.entries()) {
    sequence = await before(sequence, i);
    results.push(await sequence.attend(callOf(cutInputs(inputs, call.start, call.end))));
  }
  sequence.dispose();
  // Read at the end, as outputs must outlive their sequence, and a device need not stop after each.
  const parts = await Promise.all(results.map(outputOf));
  parts.forEach((part, i) => place(whole, part, calls[i]));
  return whole;
}

/** Writes the output of a call to where its tokens are. */
function place(whole: HostArray, part: HostArray, { start, end }: Call): void {
  const [, heads, tokens, width] = whole.shape;
  start.forEach((at, row) => {
    for (let head = 0; head < heads; head++) {
      const from = (row * heads + head) * part.shape[2] * width;
      const rows = part.data.subarray(from, from + (end[row] - at) * width);
      whole.data.set(rows, ((row * heads + head) * tokens + at) * width);
    }
  });
}

/** Queries that share one selection in a plan: calls cut at multiples of it plan the same. */
export function queryBlockOf(plan: KeptPlan): number {
  const selections = plan.chunks.flatMap(({ plan: { branches } }) =>
    branches.map(({ selection }) => selection),
  );
  return selections.map(sharers).reduce(leastCommonMultiple, 1);
}

function sharers(selection: Selection): number {
  switch (selection.kind) {
    case 'all':
    case 'ranges':
      return 1;
    case 'united':
      return selection.of.map(sharers).reduce(leastCommonMultiple, 1);
    default:
      return selection.queryBlock;
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
