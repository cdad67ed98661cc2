import { pointer } from '../layout';
import { horizontalSum } from '../simd';
import { sumFour } from '../dots';

/**
 * `Σ_d max(q_d low_d, q_d high_d)` as it stands, for few rows: it reads each bound once and is bound by memory. Many
 * rows share a strip of bounds as a matrix product instead, of `[max(q, 0), min(q, 0)]` and `[high, low]`: half the
 * arithmetic, but what is infinite times the 0 of the other sign is NaN there: such keys, and rows, are done over.
 *
 * `f32x4.max` gives NaN for NaN on either side, which `pmax` does not.
 */

/** `out[j]` for a row of `bytes` and four keys at a time, by the addresses of their bounds. */
export function boundRow(
  row: usize,
  bytes: i32,
  lows: usize,
  highs: usize,
  count: i32,
  out: usize,
): void {
  for (let j = 0; j < count; j += 4) {
    v128.store(
      out + (j << 2),
      sumFour(
        boundLanes(row, bytes, pointer(lows, j), pointer(highs, j)),
        boundLanes(row, bytes, pointer(lows, j + 1), pointer(highs, j + 1)),
        boundLanes(row, bytes, pointer(lows, j + 2), pointer(highs, j + 2)),
        boundLanes(row, bytes, pointer(lows, j + 3), pointer(highs, j + 3)),
      ),
    );
  }
}

/** @inline */
function boundLanes(row: usize, bytes: i32, low: usize, high: usize): v128 {
  let sum = f32x4.splat(0);
  for (const end = row + bytes; row < end; row += 16) {
    const q = v128.load(row);
    const larger = f32x4.max(f32x4.mul(q, v128.load(low)), f32x4.mul(q, v128.load(high)));
    sum = f32x4.add(sum, larger);
    low += 16;
    high += 16;
  }
  return sum;
}

/** One score anew, of a row `[max(q, 0), min(q, 0)]` and a key `[high, low]`, `half` bytes each. */
export function splitBound(row: usize, half: i32, key: usize): f32 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < <usize>half; at += 16) {
    const q = f32x4.add(v128.load(row + at), v128.load(row + half + at));
    const high = f32x4.mul(q, v128.load(key + at));
    const low = f32x4.mul(q, v128.load(key + half + at));
    sum = f32x4.add(sum, f32x4.max(high, low));
  }
  return horizontalSum(sum);
}
