/**
 * Descriptors: how the host says what a kernel works on. Words of 32 bits; written by src/descriptors.ts, and the
 * two files change together.
 */

/** Word `i` of a descriptor. @inline */
export function word(base: usize, i: i32): i32 {
  return load<i32>(base + (i << 2));
}

/** @inline */
export function pointer(base: usize, i: i32): usize {
  return load<u32>(base + (i << 2));
}

/** @inline */
export function real(base: usize, i: i32): f32 {
  return load<f32>(base + (i << 2));
}

// A parallel kernel's descriptor starts with [next task, tasks].

/** The next task of a descriptor, or -1. @inline */
export function nextTask(desc: usize): i32 {
  const task = atomic.add<i32>(desc, 1);
  return task < word(desc, 1) ? task : -1;
}

// Entries: [storage, dtype, pageSize, heads, width, rowBytes, tables, tableOffsets, lengths]
export const F32: i32 = 0;
export const F16: i32 = 1;
export const I8: i32 = 2;

export function entriesDtype(entries: usize): i32 {
  return word(entries, 1);
}
export function entriesHeads(entries: usize): i32 {
  return word(entries, 3);
}
export function entriesWidth(entries: usize): i32 {
  return word(entries, 4);
}
export function entriesRowBytes(entries: usize): i32 {
  return word(entries, 5);
}

export function entriesLength(entries: usize, row: i32): i32 {
  return word(pointer(entries, 8), row);
}

/** Where entry `n` of a batch row and head starts. */
export function entryAt(entries: usize, row: i32, head: i32, n: i32): usize {
  const pageSize = word(entries, 2);
  const table = pointer(entries, 6) + (word(pointer(entries, 7), row) << 2);
  const page = word(table, n / pageSize);
  const index = (page * word(entries, 3) + head) * pageSize + (n % pageSize);
  return pointer(entries, 0) + index * word(entries, 5);
}

/** Entries that lie behind entry `n` on its page. */
export function entriesBehind(entries: usize, n: i32): i32 {
  const pageSize = word(entries, 2);
  return pageSize - 1 - (n % pageSize);
}

// Positions: [tokens, first, counts, rows]
export function positionTokens(positions: usize): i32 {
  return word(positions, 0);
}

export function firstPosition(positions: usize, row: i32): i32 {
  return word(pointer(positions, 1), row);
}

export function queryCount(positions: usize, row: i32): i32 {
  return word(pointer(positions, 2), row);
}

export function positionRows(positions: usize): i32 {
  return word(positions, 3);
}

// Bound: [offset, stride]; stride 0: the number itself.
export function evaluate(bound: usize, position: i32): i32 {
  const offset = word(bound, 0);
  const stride = word(bound, 1);
  return stride === 0 ? offset : floorDiv(position + offset, stride);
}

function floorDiv(a: i32, b: i32): i32 {
  const quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

/** How many of `length` entries a query sees. */
export function visibleAt(visible: usize, position: i32, length: i32): i32 {
  return max(0, min(length, evaluate(visible, position)));
}

// Selection: [parts, part, part, ...]; part (8 words):
//   ALL                  [0]
//   RANGES               [1, intervals, pointer to (start bound, end bound) pairs]
//   LIST                 [2, ids, counts, heads, queryBlocks, capacity, queryBlock, blockSize]
export const ALL: i32 = 0;
export const RANGES: i32 = 1;
export const LIST: i32 = 2;

export function partCount(selection: usize): i32 {
  return word(selection, 0);
}

export function partAt(selection: usize, i: i32): usize {
  return selection + 4 + (i << 5);
}
