import type { Attention, AttentionResult, RunInputs, Sequence } from '@jit-attention/core';

import type { Stretch, Text } from './text.js';

/** The numbers of a result, which is disposed of. */
export async function outputOf(
  result: AttentionResult | Promise<AttentionResult>,
): Promise<Float32Array> {
  const ready = await result;
  const output = await ready.output.data();
  ready.dispose();
  return output;
}

/** Appends the next tokens of a text to every row, and asks with all of them. */
export function attendNext(sequence: Sequence, text: Text, count: number): Promise<Float32Array> {
  const { length } = sequence;
  return outputOf(sequence.attend(text.slice(length, length + count)));
}

/** Appends the next tokens of a text, so many to each row, each from where the row stands. */
export function attendRows(
  sequence: Sequence,
  text: Text,
  counts: readonly number[],
  queries?: number,
): Promise<Float32Array> {
  return outputOf(sequence.attend(text.take({ first: sequence.lengths, counts, queries })));
}

/** A whole stretch in one call, without a cache. */
export function runOnce(
  attention: Attention,
  text: Text,
  stretch: Stretch,
  rest: Partial<RunInputs> = {},
): Promise<Float32Array> {
  const { batch } = text.sizes;
  return outputOf(attention.run({ ...text.take(stretch), batch, ...rest }));
}
