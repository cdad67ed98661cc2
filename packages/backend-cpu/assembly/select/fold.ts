import { pointer, word } from '../layout';
import { MAX, POOL_WEIGHTS, REDUCE, SUM, UNION, WITHIN } from './spec';
import { entryOf, filledEntries, seesAll, stepOfStrip } from './strip';
import { LENGTH, STRIP_ENTRIES, STRIP_UNITS } from './work';

/**
 * From scored entries to the scores of slots. A score of NaN becomes -Infinity on the way in, so that it never wins.
 * In a slot NaN stands for a unit that nobody may pick: where not every unit is a candidate, or each row picks for
 * itself, that is every unit until it is scored.
 */

/** Makes room for the scores of `count` units, a multiple of 4. */
export function clearUnits(spec: usize, slot: usize, count: i32): void {
  const reduce = word(spec, REDUCE);
  const rare = pointer(spec, WITHIN) !== 0 || reduce === UNION;
  fillUnits(slot, count, rare ? NaN : emptyOf(reduce));
}

/** Makes room for the scores that all rows of a strip join. */
export function clearJoined(spec: usize, joined: usize, count: i32): void {
  fillUnits(joined, (count + 3) & ~3, emptyOf(word(spec, REDUCE)));
}

/** What rows join to before there are any. */
function emptyOf(reduce: i32): f32 {
  return reduce === SUM ? 0 : -Infinity;
}

function fillUnits(slot: usize, count: i32, value: f32): void {
  for (const end = slot + (count << 2); slot < end; slot += 16) {
    v128.store(slot, f32x4.splat(value));
  }
}

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

/** Takes `count` unit scores of a row into a slot, or what a strip joins. */
export function foldRow(row: usize, count: i32, slot: usize, reduce: i32): void {
  const whole = row + ((count & ~3) << 2);
  for (; row < whole; row += 16) {
    v128.store(slot, joined(v128.load(slot), v128.load(row), reduce));
    slot += 16;
  }
  for (let i = 0; i < count % 4; i++) foldOne(slot + (i << 2), load<f32>(row + (i << 2)), reduce);
}

/** @inline */
function joined(slot: v128, score: v128, reduce: i32): v128 {
  // `pmax(a, b)` is a where b is NaN.
  if (reduce === MAX) return f32x4.pmax(slot, score);
  return withoutNaN(reduce === SUM ? f32x4.add(slot, score) : score);
}

/** @inline */
function withoutNaN(value: v128): v128 {
  return v128.bitselect(value, f32x4.splat(-Infinity), f32x4.eq(value, value));
}

function foldOne(slot: usize, score: f32, reduce: i32): void {
  const one = joined(v128.load32_splat(slot), f32x4.splat(score), reduce);
  store<f32>(slot, f32x4.extract_lane(one, 0));
}

/** Takes the scores of candidates, by their ids, into a slot. */
export function scatterRow(row: usize, count: i32, units: usize, slot: usize, reduce: i32): void {
  for (let i = 0; i < count; i++) {
    const score = load<f32>(row + (i << 2));
    const at = slot + (word(units, i) << 2);
    const first = load<f32>(at) !== load<f32>(at);
    foldOne(at, score, first ? UNION : reduce);
  }
}
