import { expect } from 'vitest';

/** The largest absolute difference; NaN if either holds one, or if they are of unlike lengths. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return NaN;
  let max = 0;
  for (let i = 0; i < actual.length; i++) max = Math.max(max, Math.abs(actual[i] - expected[i]));
  return max;
}

/** An error with these details, to expect of a call. */
export const errorWith = (details: Record<string, unknown>): Error =>
  expect.objectContaining(details) as Error;

export async function collect(tokens: AsyncIterable<number>): Promise<number[]> {
  const out: number[] = [];
  for await (const token of tokens) out.push(token);
  return out;
}
