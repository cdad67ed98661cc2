import { holds } from '@jit-attention/testkit';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { halfSplit, transpose } from '../src/rearrange.js';

/** llama.cpp's `permute`: `reshape(heads, 2, half, columns).swapaxes(1, 2)`, here of row numbers. */
function permuted(heads: number, headDim: number): number[] {
  const half = headDim / 2;
  const out: number[] = [];
  for (let head = 0; head < heads; head++) {
    for (let pair = 0; pair < half; pair++) {
      for (const side of [0, 1]) out.push(head * headDim + side * half + pair);
    }
  }
  return out;
}

it('halfSplit undoes what llama.cpp does to the rows', () =>
  holds([fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 })], async (heads, half) => {
    const stored = permuted(heads, 2 * half);
    const order = halfSplit(2 * half);
    const found = stored.map((_, row) => stored[order(row)]);
    await Promise.resolve(expect(found).toEqual(stored.map((_, row) => row)));
  }));

it('transposes, rows in the order wanted', () => {
  const stored = Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31);
  expect(transpose(stored, [4, 2])).toEqual(Float32Array.of(0, 10, 20, 30, 1, 11, 21, 31));
  expect(transpose(stored, [4, 2], halfSplit(4))).toEqual(
    Float32Array.of(0, 20, 10, 30, 1, 21, 11, 31),
  );
});
