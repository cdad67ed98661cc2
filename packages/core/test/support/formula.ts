import { expect } from 'vitest';

import { Block, type Stretch, type Text } from './text.js';

export interface SoftmaxOptions {
  readonly scale?: number;
  readonly softcap?: number;
  /** By query head. */
  readonly sinkLogits?: readonly number[];
}

/** The entries that a query reads, given its batch row and absolute position. */
export type Reads = (row: number, position: number, kvHead: number) => readonly number[];

/** The entries of `[start, end)`; there are none before 0. */
export const upTo = (end: number, start = 0): number[] => {
  const first = Math.max(0, start);
  return Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
};

/** Every entry up to the query's own. */
export const everything: Reads = (_, position) => upTo(position + 1);

/** Softmax attention of one query of one head, as on paper. */
export function attendTo(
  text: Text,
  { row, head, position }: { row: number; head: number; position: number },
  entries: readonly number[],
  { scale = text.sizes.headDim ** -0.5, softcap, sinkLogits }: SoftmaxOptions = {},
): { output: number[]; mass: number } {
  const { heads, kvHeads, valueDim } = text.sizes;
  const kvHead = Math.floor(head / (heads / kvHeads));
  const query = text.query.at(row, head, position);
  const weights = entries.map((entry) => {
    const key = text.key.at(row, kvHead, entry);
    const logit = scale * query.reduce((sum, q, d) => sum + q * key[d], 0);
    return Math.exp(softcap === undefined ? logit : softcap * Math.tanh(logit / softcap));
  });
  const mass = weights.reduce((sum, weight) => sum + weight, 0);
  const total = mass + (sinkLogits ? Math.exp(sinkLogits[head]) : 0);
  const output = Array.from({ length: valueDim }, (_, d) =>
    entries.reduce(
      (sum, entry, i) => sum + (weights[i] / total) * text.value.at(row, kvHead, entry)[d],
      0,
    ),
  );
  return { output, mass };
}

/** The output of a call that continues rows at their own positions: zeros for padding. */
export function attention(
  text: Text,
  { first, counts, queries }: Stretch,
  reads: Reads,
  options: SoftmaxOptions = {},
): Float32Array {
  const { batch, heads, kvHeads, valueDim } = text.sizes;
  const tokens = Math.max(1, ...counts);
  const skipped = tokens - (queries ?? tokens);
  const shape = [batch, heads, tokens - skipped, valueDim] as const;
  const output = new Block(shape, new Float32Array(batch * heads * (tokens - skipped) * valueDim));
  for (let row = 0; row < batch; row++) {
    for (let head = 0; head < heads; head++) {
      for (let t = 0; t < counts[row] - skipped; t++) {
        const position = first[row] + skipped + t;
        const entries = reads(row, position, Math.floor(head / (heads / kvHeads)));
        if (entries.length === 0) continue;
        output
          .at(row, head, t)
          .set(attendTo(text, { row, head, position }, entries, options).output);
      }
    }
  }
  return output.data;
}

/** Both sides are f64 sums of the same f32 numbers, rounded to f32 once; outputs are of the order of 1. */
const TOLERANCE = 1e-6;

export function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  const worst = actual.reduce(
    (at, value, i) =>
      // NaN is the worst of all.
      Math.abs(value - expected[i]) <= Math.abs(actual[at] - expected[at]) ? at : i,
    0,
  );
  const difference = Math.abs(actual[worst] - expected[worst]);
  expect(difference, `${actual[worst]} and ${expected[worst]} at ${worst}`).toBeLessThanOrEqual(
    TOLERANCE,
  );
}
