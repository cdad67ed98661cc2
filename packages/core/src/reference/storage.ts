import { f16round } from '@petamoriken/float16';
import type { DType } from '../dtype.js';
import type { Entries } from '../entries.js';
import { assertEntryHeld, headsOf, widthOf } from '../entries.js';
import { BackendError } from '../errors.js';
import type { Tensor } from '../tensor.js';

/** All floats are kept as f64: `f32` is not rounded between primitives, `f16` and `i8` hold what was rounded. */
export type Numbers = Float64Array | Int32Array;

export const numbersOf = (tensor: Tensor): Numbers => tensor.storage as Numbers;
export const floatsOf = (tensor: Tensor): Float64Array => tensor.storage as Float64Array;
export const integersOf = (tensor: Tensor<'i32'>): Int32Array => tensor.storage as Int32Array;

/** `Float64Array.from`, which calls an iterator for every number, and would be a third of what selecting takes. */
export function floats(length: number, at: (i: number) => number): Float64Array {
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i++) numbers[i] = at(i);
  return numbers;
}

/** @throws {BackendError} `BACKEND_FAILED` for more than the host can give */
export function allocate(dtype: DType, size: number): Numbers {
  try {
    return dtype === 'i32' ? new Int32Array(size) : new Float64Array(size);
  } catch (cause) {
    throw new BackendError(`reference: expected room for ${size} numbers, got none`, {
      code: 'BACKEND_FAILED',
      expected: `room for ${size} numbers`,
      actual: 'none',
      hint: 'ask for less: a smaller capacity, a smaller batch or fewer tokens',
      cause,
    });
  }
}

/** Rounds rows of `width` in `[start, end)` to what the dtype can hold. */
export function round(
  dtype: DType,
  values: Numbers,
  width: number,
  start = 0,
  end: number = values.length,
): void {
  if (dtype === 'f16') for (let i = start; i < end; i++) values[i] = f16round(values[i]);
  if (dtype === 'i8')
    for (let row = start; row < end; row += width) roundRow(values.subarray(row, row + width), 8);
}

/** Symmetric codes of `bits`, one scale a row: `max|x| / (2^(bits-1) - 1)`. */
export function roundRow(row: Numbers, bits: number): void {
  let largest = 0;
  for (const value of row) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return;
  const scale = largest / (2 ** (bits - 1) - 1);
  for (let i = 0; i < row.length; i++) row[i] = Math.round(row[i] / scale) * scale;
}

/** Where entry `n` of a batch row and head starts in the storage of its tensor. */
export function rowOffsets(entries: Entries, row: number, head: number): (n: number) => number {
  const { pageSize } = entries;
  const table = entries.tables[row];
  const [heads, width] = [headsOf(entries), widthOf(entries)];
  return (n) => {
    assertEntryHeld(table, pageSize, n);
    const page = table[Math.floor(n / pageSize)];
    return ((page * heads + head) * pageSize + (n % pageSize)) * width;
  };
}
