import { pointer, word } from '../layout';
import { MAX, POOL_WEIGHTS, SUM } from './spec';
import { entryOf, filledEntries, seesAll, stepOfStrip } from './strip';
import { LENGTH, STRIP_ENTRIES, STRIP_UNITS } from './work';

/**
 * From scored entries to the scores of slots. In a slot, NaN stands for a unit that nobody has scored, which is one
 * that nobody may pick; a score of NaN becomes -Infinity on the way in, so that it never wins.
 */

/** Gives a value that does not count to entries that a row does not see, and to what fills the strip up. */
export function maskUnseen(spec: usize, work: usize, row: usize, seen: i32, value: f32): void {
  const count = word(work, STRIP_ENTRIES);
  for (let i = count; i < filledEntries(work); i++) store<f32>(row + (i << 2), value);
  if (seesAll(spec, work, seen)) return;
  for (let i = 0; i < count; i++) {
    const id = entryOf(spec, work, i);
    if (id < 0 || id >= seen) store<f32>(row + (i << 2), value);
  }
}

/** The scores of the strip's units from those of its entries. */
export function poolUnits(spec: usize, work: usize, row: usize, out: usize): void {
  const weights = pointer(spec, POOL_WEIGHTS);
  const length = word(work, LENGTH);
  const step = stepOfStrip(work);
  for (let unit = 0; unit < word(work, STRIP_UNITS); unit++) {
    const first = row + ((unit * step) << 2);
    const score = weights === 0 ? largest(first, length) : weighted(first, length, weights);
    store<f32>(out + (unit << 2), score);
  }
}

function largest(row: usize, length: i32): f32 {
  let best: f32 = -Infinity;
  for (let i = 0; i < length; i++) {
    const score = load<f32>(row + (i << 2));
    if (score > best) best = score;
  }
  return best;
}

function weighted(row: usize, length: i32, weights: usize): f32 {
  let sum: f32 = 0;
  for (let i = 0; i < length; i++) sum += load<f32>(row + (i << 2)) * load<f32>(weights + (i << 2));
  return sum;
}

/** Takes `count` unit scores of a row into a slot. */
export function foldRow(row: usize, count: i32, slot: usize, reduce: i32): void {
  const whole = row + ((count & ~3) << 2);
  for (; row < whole; row += 16) {
    v128.store(slot, joined(v128.load(row), v128.load(slot), reduce));
    slot += 16;
  }
  for (let i = 0; i < (count & 3); i++) foldOne(row + (i << 2), slot + (i << 2), reduce);
}

/** Takes the scores of candidates, by their ids, into a slot. */
export function scatterRow(row: usize, count: i32, units: usize, slot: usize, reduce: i32): void {
  for (let i = 0; i < count; i++) {
    foldOne(row + (i << 2), slot + (word(units, i) << 2), reduce);
  }
}

function foldOne(score: usize, slot: usize, reduce: i32): void {
  const one = joined(v128.load32_splat(score), v128.load32_splat(slot), reduce);
  store<f32>(slot, f32x4.extract_lane(one, 0));
}

/** @inline */
function joined(score: v128, slot: v128, reduce: i32): v128 {
  const fresh = withoutNaN(score);
  // `pmax(a, b)` is a where b is NaN.
  if (reduce === MAX) return f32x4.pmax(fresh, slot);
  if (reduce !== SUM) return fresh;
  const sum = withoutNaN(f32x4.add(fresh, slot));
  return v128.bitselect(sum, fresh, f32x4.eq(slot, slot));
}

/** @inline */
function withoutNaN(value: v128): v128 {
  return v128.bitselect(value, f32x4.splat(-Infinity), f32x4.eq(value, value));
}
