import { entriesBehind, entriesLength, entriesRowBytes, entryAt, pointer, word } from '../layout';
import { decodeRun, gatherRows, listRun, needsDecoding, touchRows } from '../gather';
import { ANTIDIAGONAL, BOUNDS, CELL, DEPTH, KEYS, KIND, MAXIMA, SPLIT_BOUNDS, WIDTH } from './spec';
import { entryOf, filledEntries } from './strip';
import {
  BATCH_ROW,
  CANDIDATES,
  CODED_ROWS,
  DECODED,
  DECODED_MAXIMA,
  FIRST_ENTRY,
  INFINITE,
  KEY_ROWS,
  KV_HEAD,
  MAXIMUM_ROWS,
  MOST_SEEN,
  PREPARED,
  READS,
  region,
  setWord,
  STRIP_ENTRIES,
} from './work';

/**
 * Addresses of the keys of the strip at hand, filled up to a multiple of 4; in place of keys that do not exist, some
 * that do. Keys are read in place, or laid out anew where the matrix product wants them otherwise.
 */
export function gatherKeys(spec: usize, work: usize): void {
  const kind = word(spec, KIND);
  if (kind === ANTIDIAGONAL) return gatherCells(spec, work);
  gather(spec, work, KEYS, DECODED, KEY_ROWS);
  if (kind === BOUNDS || kind === SPLIT_BOUNDS) {
    gather(spec, work, MAXIMA, DECODED_MAXIMA, MAXIMUM_ROWS);
    if (kind === SPLIT_BOUNDS) orderBounds(spec, work);
  } else if (!needsDecoding(pointer(spec, KEYS), word(spec, WIDTH))) {
    // Bounds are read in two streams and a thing apart: touching them first has made that slower.
    touchRows(region(spec, work, KEY_ROWS), filledEntries(work), word(spec, WIDTH));
  }
}

function gather(spec: usize, work: usize, entries: i32, decoded: i32, rows: i32): void {
  const from = pointer(spec, entries);
  const into = region(spec, work, decoded);
  const out = region(spec, work, rows);
  if (word(work, CANDIDATES) < 0) gatherRun(spec, work, from, into, out);
  else if (word(work, CODED_ROWS)) listRead(spec, work, from, out);
  else gatherRead(spec, work, from, into, out, filledEntries(work));
}

/** The entries of READS, wherever they are. */
function gatherRead(
  spec: usize,
  work: usize,
  entries: usize,
  decoded: usize,
  rows: usize,
  count: i32,
): void {
  const reads = region(spec, work, READS);
  const row = word(work, BATCH_ROW);
  gatherRows(entries, row, word(work, KV_HEAD), reads, count, word(spec, WIDTH), decoded, rows);
}

/** The same, as they are stored. */
function listRead(spec: usize, work: usize, entries: usize, rows: usize): void {
  const reads = region(spec, work, READS);
  for (let i = 0; i < filledEntries(work); i++) {
    const at = entryAt(entries, word(work, BATCH_ROW), word(work, KV_HEAD), word(reads, i));
    setWord(rows, i, at);
  }
}

/** A run of entries, a page at a time. */
function gatherRun(spec: usize, work: usize, entries: usize, decoded: usize, rows: usize): void {
  const first = word(work, FIRST_ENTRY);
  const from = max(0, first);
  const to = min(first + word(work, STRIP_ENTRIES), word(work, MOST_SEEN));
  const decodes = needsDecoding(entries, word(spec, WIDTH)) && !word(work, CODED_ROWS);
  for (let id = from; id < to;) {
    const count = min(to - id, entriesBehind(entries, id) + 1);
    const at = entryAt(entries, word(work, BATCH_ROW), word(work, KV_HEAD), id);
    const out = rows + ((id - first) << 2);
    if (decodes) decoded = decodeRun(entries, at, count, word(spec, WIDTH), decoded, out);
    else listRun(at, entriesRowBytes(entries), count, out);
    id += count;
  }
  const some = word(rows, from - first);
  for (let i = 0; i < from - first; i++) setWord(rows, i, some);
  for (let i = to - first; i < filledEntries(work); i++) setWord(rows, i, some);
}

/** Keys `[larger bounds, smaller bounds]`; lists those with an infinite one (see bounds.ts). */
function orderBounds(spec: usize, work: usize): void {
  const half = word(spec, DEPTH) >> 1;
  let infinite = 0;
  for (let i = 0; i < filledEntries(work); i++) {
    const a = pointer(region(spec, work, KEY_ROWS), i);
    const b = pointer(region(spec, work, MAXIMUM_ROWS), i);
    // Read by now, the addresses of the maxima make room for the list.
    if (orderPair(a, b, half, prepare(spec, work, i))) {
      setWord(region(spec, work, MAXIMUM_ROWS), infinite++, i);
    }
  }
  setWord(work, INFINITE, infinite);
}

/** Of two rows of `width` channels the larger ones, then the smaller ones; says whether any is infinite. */
function orderPair(a: usize, b: usize, width: i32, out: usize): bool {
  const bytes = width << 2;
  const infinity = f32x4.splat(Infinity);
  let infinite = i32x4.splat(0);
  for (let at = 0; at < bytes; at += 16) {
    const x = v128.load(a + at);
    const y = v128.load(b + at);
    const high = f32x4.max(x, y);
    const low = f32x4.min(x, y);
    infinite = v128.or(infinite, f32x4.eq(f32x4.abs(high), infinity));
    infinite = v128.or(infinite, f32x4.eq(f32x4.abs(low), infinity));
    v128.store(out + at, high);
    v128.store(out + bytes + at, low);
  }
  return v128.any_true(infinite);
}

/** Cells of neighbouring keys side by side; keys past the end are zeros. */
function gatherCells(spec: usize, work: usize): void {
  const cell = word(spec, CELL);
  const part = (word(spec, DEPTH) / cell) << 2;
  const keys = pointer(spec, KEYS);
  const length = entriesLength(keys, word(work, BATCH_ROW));
  const rows = region(spec, work, MAXIMUM_ROWS);
  const count = word(work, STRIP_ENTRIES);
  const filled = filledEntries(work);
  for (let r = 0; r < cell; r++) {
    for (let i = 0; i < filled; i++) {
      const id = entryOf(spec, work, min(i, count - 1)) * cell + r;
      setWord(region(spec, work, READS), i, max(0, min(id, length - 1)));
    }
    gatherRead(spec, work, keys, region(spec, work, DECODED), rows, filled);
    for (let i = 0; i < filled; i++) {
      const to = prepare(spec, work, i) + r * part;
      const exists = entryOf(spec, work, min(i, count - 1)) * cell + r < length;
      if (exists) memory.copy(to, pointer(rows, i), part);
      else memory.fill(to, 0, part);
    }
  }
}

/** Makes key `i` of the strip a row that is laid out anew; returns where. */
function prepare(spec: usize, work: usize, i: i32): usize {
  const row = region(spec, work, PREPARED) + ((i * word(spec, DEPTH)) << 2);
  setWord(region(spec, work, KEY_ROWS), i, row);
  return row;
}
