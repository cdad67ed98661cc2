import { real, word } from '../layout';
import { exp2, exp2Scalar, horizontalMax, horizontalSum, LOG2E } from '../simd';
import { ROW_LARGEST, ROW_STATISTICS, ROW_SUM } from './rows';

/**
 * Probabilities take two passes: one for the largest logit and the sum of the exponentials of each row, which slices
 * gather on their own, and one that divides by them. In the second, logits are recalled where they could be kept (see
 * kept.ts) and scored anew where that would have been too many.
 *
 * As in the f64 reference: a logit of +Infinity takes all the mass, shared with its equals; nothing but -Infinity
 * has none; a NaN among others makes all of the row NaN.
 */

export function clearStatistics(record: usize): void {
  setReal(record, ROW_LARGEST, -Infinity);
  setReal(record, ROW_SUM, 0);
}

/** Takes `count` logits (a multiple of 4; -Infinity where there is none) into the statistics of their row. */
export function addStatistics(record: usize, row: usize, count: i32): void {
  const before = real(record, ROW_LARGEST);
  const end = row + (count << 2);
  const largest = max<f32>(before, rowMax(row, end));
  const sum = real(record, ROW_SUM) * rescaled(before, largest);
  setReal(record, ROW_LARGEST, largest);
  setReal(
    record,
    ROW_SUM,
    sum + (isFinite(largest) ? sumOfPowers(row, end, largest) : sumOfEqual(row, end, largest)),
  );
}

/** NaN is passed over. */
function rowMax(row: usize, end: usize): f32 {
  let largest = f32x4.splat(-Infinity);
  for (let at = row; at < end; at += 16) largest = f32x4.pmax(largest, v128.load(at));
  return horizontalMax(largest);
}

function sumOfPowers(row: usize, end: usize, largest: f32): f32 {
  let sum = f32x4.splat(0);
  for (let at = row; at < end; at += 16) sum = f32x4.add(sum, powers(at, f32x4.splat(largest)));
  return horizontalSum(sum);
}

/** `e^(logit - largest)` @inline */
function powers(at: usize, largest: v128): v128 {
  return exp2(f32x4.mul(f32x4.sub(v128.load(at), largest), f32x4.splat(LOG2E)));
}

/** How many are +Infinity; NaN if any is. */
function sumOfEqual(row: usize, end: usize, largest: f32): f32 {
  let sum: f32 = 0;
  for (let at = row; at < end; at += 4) {
    const logit = load<f32>(at);
    if (logit !== logit || (logit === largest && largest > 0)) sum += logit === logit ? 1 : NaN;
  }
  return sum;
}

/** What sums relative to one largest logit are worth relative to another. */
function rescaled(from: f32, to: f32): f32 {
  if (from === to) return 1;
  return from === -Infinity || to === Infinity ? 0 : exp2Scalar((from - to) * LOG2E);
}

/** Writes what a slice has gathered. */
export function storeStatistics(record: usize, slice: i32): void {
  const at = <usize>word(record, ROW_STATISTICS) + (slice << 3);
  store<f32>(at, real(record, ROW_LARGEST));
  store<f32>(at, real(record, ROW_SUM), 4);
}

/** Joins the slices of a row, in their order; leaves the largest logit and the inverse of the sum. */
export function joinStatistics(record: usize, slices: i32): void {
  const at = <usize>word(record, ROW_STATISTICS);
  let largest: f32 = -Infinity;
  for (let i = 0; i < slices; i++) largest = max<f32>(largest, load<f32>(at + (i << 3)));
  let sum: f32 = 0;
  for (let i = 0; i < slices; i++) {
    sum += load<f32>(at + (i << 3), 4) * rescaled(load<f32>(at + (i << 3)), largest);
  }
  setReal(record, ROW_LARGEST, largest);
  setReal(record, ROW_SUM, 1 / sum);
}

/** Turns `count` logits of a row into probabilities. */
export function toProbabilities(record: usize, row: usize, count: i32): void {
  const largest = real(record, ROW_LARGEST);
  const share = real(record, ROW_SUM);
  const end = row + (count << 2);
  if (!isFinite(largest)) {
    for (let at = row; at < end; at += 4) {
      store<f32>(at, largest > 0 && load<f32>(at) === largest ? share : 0);
    }
    return;
  }
  for (let at = row; at < end; at += 16) {
    v128.store(at, f32x4.mul(powers(at, f32x4.splat(largest)), f32x4.splat(share)));
  }
}

function setReal(base: usize, i: i32, value: f32): void {
  store<f32>(base + (i << 2), value);
}
