import { LANES } from '../lanes/block';
import { partAt, partCount, RANGES, word } from '../layout';

/**
 * What rows may see: intervals of entries, which may overlap or be empty. Eight rows at a time, `[intervals][8 starts,
 * 8 ends]` of i32; here `each` is how many intervals a row has.
 */

/** Bytes of an interval of eight rows. */
export const INTERVAL: i32 = 64;

/** How many intervals a selection takes at most. */
export function intervalsOf(selection: usize): i32 {
  let count = 0;
  for (let i = 0; i < partCount(selection); i++) {
    const part = partAt(selection, i);
    count += word(part, 0) === RANGES ? word(part, 1) : 1;
  }
  return max(1, count);
}

/** Whether any of eight rows sees any entry from `first` to `last`. */
export function reaches(intervals: usize, each: i32, first: i32, last: i32): bool {
  for (const end = intervals + each * INTERVAL; intervals < end; intervals += INTERVAL) {
    for (let half = intervals; half < intervals + LANES; half += 16) {
      const starts = i32x4.le_s(v128.load(half), i32x4.splat(last));
      const ends = i32x4.gt_s(v128.load(half, LANES), i32x4.splat(first));
      if (v128.any_true(v128.and(starts, ends))) return true;
    }
  }
  return false;
}

/** Whether there is an interval in which all of eight rows see all entries from `first` to `last`. */
export function covers(intervals: usize, each: i32, first: i32, last: i32): bool {
  for (const end = intervals + each * INTERVAL; intervals < end; intervals += INTERVAL) {
    const starts = v128.or(after(intervals, first), after(intervals + 16, first));
    const ends = v128.or(before(intervals + LANES, last), before(intervals + LANES + 16, last));
    if (!v128.any_true(v128.or(starts, ends))) return true;
  }
  return false;
}

/** Which of four starts lie after an entry. @inline */
function after(starts: usize, entry: i32): v128 {
  return i32x4.gt_s(v128.load(starts), i32x4.splat(entry));
}

/** Which of four ends an entry is not before. @inline */
function before(ends: usize, entry: i32): v128 {
  return i32x4.le_s(v128.load(ends), i32x4.splat(entry));
}

/** Hides the entries `ids[0 .. count)` from those of eight rows that do not see them: logits `[entry][8]`. */
export function maskLanes(
  logits: usize,
  ids: usize,
  count: i32,
  intervals: usize,
  each: i32,
): void {
  const end = ids + (count << 2);
  for (let half = 0; half < LANES; half += 16) {
    let at = logits + half;
    for (let id = ids; id < end; id += 4) {
      const keep = seen(v128.load32_splat(id), intervals + half, each);
      v128.store(at, v128.bitselect(v128.load(at), f32x4.splat(-Infinity), keep));
      at += LANES;
    }
  }
}

/** Which of four rows see an entry. */
function seen(id: v128, starts: usize, each: i32): v128 {
  let keep = i32x4.splat(0);
  for (const end = starts + each * INTERVAL; starts < end; starts += INTERVAL) {
    const started = i32x4.le_s(v128.load(starts), id);
    keep = v128.or(keep, v128.and(started, i32x4.gt_s(v128.load(starts, LANES), id)));
  }
  return keep;
}

/** As {@link maskLanes}, for one row, whose starts begin at `intervals`: logits `[entry]`. */
export function maskRow(logits: usize, ids: usize, count: i32, intervals: usize, each: i32): void {
  for (const end = ids + (count << 2); ids < end; ids += 16) {
    const id = v128.load(ids);
    let keep = i32x4.splat(0);
    for (let i = intervals; i < intervals + each * INTERVAL; i += INTERVAL) {
      const started = i32x4.le_s(v128.load32_splat(i), id);
      keep = v128.or(keep, v128.and(started, i32x4.gt_s(v128.load32_splat(i, LANES), id)));
    }
    v128.store(logits, v128.bitselect(v128.load(logits), f32x4.splat(-Infinity), keep));
    logits += 16;
  }
}
