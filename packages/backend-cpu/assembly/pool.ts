import { decodeRow } from './convert';
import {
  entriesDtype,
  entriesHeads,
  entriesLength,
  entryAt,
  nextTask,
  pointer,
  word,
} from './layout';
import { exp } from './math';
import { madd } from './simd';

/** Groups of rows made one row each; see core's `Ops.pool`. */

const MEAN: i32 = 0;
const MIN: i32 = 1;
const MAX: i32 = 2;
const SOFTMAX: i32 = 3;
const CONCAT: i32 = 4;

/** Words of a part: [values, logits or 0, start, length, first channel]. */
const PART: i32 = 20;

/**
 * Kernel: a task is a share of the groups of one batch row and head.
 * [next, total, groups of a task, kind, width, out width, parts, pointer to parts, stride, firsts, count, target]
 * Scratch: five rows of `width` f32.
 */
export function poolGroups(desc: usize, scratch: usize): void {
  const share = word(desc, 2);
  const count = word(desc, 10);
  const shares = (count + share - 1) / share;
  const heads = entriesHeads(pointer(partAt(desc, 0), 0));
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const lane = task / shares;
    const start = (task % shares) * share;
    const end = min(count, start + share);
    for (let i = start; i < end; i++) {
      const target = pointer(desc, 11) + <usize>(lane * count + i) * (word(desc, 5) << 2);
      poolGroup(desc, lane / heads, lane % heads, i, target, scratch);
    }
  }
}

function poolGroup(desc: usize, row: i32, head: i32, i: i32, target: usize, scratch: usize): void {
  const kind = word(desc, 3);
  const group = word(pointer(desc, 9), row) + i;
  memory.fill(target, 0, word(desc, 5) << 2);
  if (kind === CONCAT) concat(desc, row, head, group, target);
  else if (kind === SOFTMAX) softmax(desc, row, head, group, target, scratch);
  else reduce(desc, row, head, group, target, scratch);
}

function partAt(desc: usize, i: i32): usize {
  return pointer(desc, 7) + i * PART;
}

/** The number of a group's `i`-th row of a part among the entries; -1 where it lies outside. */
function entryOf(desc: usize, part: usize, row: i32, group: i32, i: i32): i32 {
  const n = word(desc, 8) * group + word(part, 2) + i;
  return n < entriesLength(pointer(part, 0), row) ? max(n, -1) : -1;
}

/** The channels of an entry as f32. */
function read(
  entries: usize,
  row: i32,
  head: i32,
  n: i32,
  part: usize,
  width: i32,
  target: usize,
): void {
  decodeRow(entryAt(entries, row, head, n), entriesDtype(entries), word(part, 4), width, target);
}

function concat(desc: usize, row: i32, head: i32, group: i32, target: usize): void {
  const width = word(desc, 4);
  for (let p = 0; p < word(desc, 6); p++) {
    const part = partAt(desc, p);
    for (let i = 0; i < word(part, 3); i++) {
      const n = entryOf(desc, part, row, group, i);
      if (n >= 0) read(pointer(part, 0), row, head, n, part, width, target);
      target += width << 2;
    }
  }
}

/** Mean, min and max. */
function reduce(desc: usize, row: i32, head: i32, group: i32, target: usize, spare: usize): void {
  const width = word(desc, 4);
  const kind = word(desc, 3);
  let members = 0;
  for (let p = 0; p < word(desc, 6); p++) {
    const part = partAt(desc, p);
    for (let i = 0; i < word(part, 3); i++) {
      const n = entryOf(desc, part, row, group, i);
      if (n < 0) continue;
      read(pointer(part, 0), row, head, n, part, width, members > 0 ? spare : target);
      if (members > 0) combine(kind, spare, width, target);
      members++;
    }
  }
  if (kind === MEAN && members > 1) scale(target, width, <f32>members);
}

function combine(kind: i32, source: usize, width: i32, target: usize): void {
  if (kind === MIN) combineBy(MIN, source, width, target);
  else if (kind === MAX) combineBy(MAX, source, width, target);
  else combineBy(MEAN, source, width, target);
}

/** A loop for each kind: `kind` is a constant where this is inlined. @inline */
function combineBy(kind: i32, source: usize, width: i32, target: usize): void {
  const whole = width & ~3;
  for (let i = 0; i < whole; i += 4) {
    const a = v128.load(target + (i << 2));
    const b = v128.load(source + (i << 2));
    v128.store(target + (i << 2), both(kind, a, b));
  }
  for (let i = whole; i < width; i++) {
    const a = v128.load32_splat(target + (i << 2));
    const b = v128.load32_splat(source + (i << 2));
    store<f32>(target + (i << 2), f32x4.extract_lane(both(kind, a, b), 0));
  }
}

/** @inline */
function both(kind: i32, a: v128, b: v128): v128 {
  if (kind === MIN) return f32x4.min(a, b);
  return kind === MAX ? f32x4.max(a, b) : f32x4.add(a, b);
}

function scale(row: usize, width: i32, divisor: f32): void {
  for (let i = 0; i < width; i++) store<f32>(row + (i << 2), load<f32>(row + (i << 2)) / divisor);
}

/**
 * Per channel, weights `e^(logit - largest)`: one pass for the largest logits, one for the sums. Scratch: a row of
 * values, of logits, of the largest, and of the sums of weights. Rows are a multiple of four floats there.
 */
function softmax(
  desc: usize,
  row: i32,
  head: i32,
  group: i32,
  target: usize,
  scratch: usize,
): void {
  const width = word(desc, 4);
  const bytes = ((width + 3) & ~3) << 2;
  const most = scratch + 2 * bytes;
  const sums = most + bytes;
  const total = sums + bytes;
  memory.fill(sums, 0, 2 * bytes);
  for (let i = 0; i < bytes; i += 16) v128.store(most + i, f32x4.splat(-Infinity));
  eachMember(desc, row, head, group, scratch, bytes, true);
  eachMember(desc, row, head, group, scratch, bytes, false);
  for (let i = 0; i < bytes; i += 16) {
    const share = f32x4.div(v128.load(total + i), v128.load(sums + i));
    // Only logits of -Infinity, or no rows: 0. A logit of NaN leaves its NaN.
    const empty = f32x4.eq(v128.load(most + i), f32x4.splat(-Infinity));
    v128.store(total + i, v128.bitselect(f32x4.splat(0), share, empty));
  }
  memory.copy(target, total, width << 2);
}

function eachMember(
  desc: usize,
  row: i32,
  head: i32,
  group: i32,
  scratch: usize,
  bytes: i32,
  first: bool,
): void {
  const width = word(desc, 4);
  const logits = scratch + bytes;
  for (let p = 0; p < word(desc, 6); p++) {
    const part = partAt(desc, p);
    for (let i = 0; i < word(part, 3); i++) {
      const n = entryOf(desc, part, row, group, i);
      if (n < 0) continue;
      read(pointer(part, 1), row, head, n, part, width, logits);
      if (first) {
        combine(MAX, logits, width, scratch + 2 * bytes);
        continue;
      }
      read(pointer(part, 0), row, head, n, part, width, scratch);
      addWeighted(scratch, bytes);
    }
  }
}

/** Takes one member into the sums: `[values, logits, largest, sum of weights, weighted sum]`. */
function addWeighted(scratch: usize, bytes: i32): void {
  for (let at = scratch; at < scratch + bytes; at += 16) {
    const largest = at + 2 * bytes;
    const weight = exp(f32x4.sub(v128.load(at + bytes), v128.load(largest)));
    v128.store(largest + bytes, f32x4.add(v128.load(largest + bytes), weight));
    const sum = largest + 2 * bytes;
    v128.store(sum, madd(weight, v128.load(at), v128.load(sum)));
  }
}
