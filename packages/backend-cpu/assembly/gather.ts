import { decodeRow } from './convert';
import { entriesBehind, entriesDtype, entriesRowBytes, entryAt, F32 } from './layout';

/**
 * Finds entries, a tile at a time. Pages in order, ranges, single entries: once there is a list of addresses it makes
 * no difference any more.
 */

/** Whether rows have to be copied: they are not f32, or their width is not a whole number of vectors. */
export function needsDecoding(entries: usize, width: i32): bool {
  return entriesDtype(entries) !== F32 || (width & 3) !== 0;
}

/**
 * Addresses of the first `width` channels, as f32, of entries `ids[0 .. count)`. Rows that need it are
 * decoded into `decoded`, with zeros up to a whole vector. The list is filled up to a multiple of 8 with its last
 * address.
 */
export function gatherRows(
  entries: usize,
  row: i32,
  head: i32,
  ids: usize,
  count: i32,
  width: i32,
  decoded: usize,
  rows: usize,
): void {
  const decodes = needsDecoding(entries, width);
  const end = rows + (count << 2);
  for (let out = rows; out < end;) {
    const id = load<i32>(ids);
    const run = runOf(ids, min((<i32>(end - out)) >> 2, entriesBehind(entries, id) + 1));
    const at = entryAt(entries, row, head, id);
    if (decodes) decoded = decodeRun(entries, at, run, width, decoded, out);
    else listRun(at, entriesRowBytes(entries), run, out);
    ids += run << 2;
    out += run << 2;
  }
  const last = load<u32>(end - 4);
  for (let i = count; (i & 7) !== 0; i++) store<u32>(rows + (i << 2), last);
}

/** How many of the next `most` entries, of one page, follow one another. */
function runOf(ids: usize, most: i32): i32 {
  const first = load<i32>(ids);
  let run = 1;
  while (run < most && load<i32>(ids + (run << 2)) === first + run) run++;
  return run;
}

/** The addresses of rows that follow one another. */
export function listRun(at: usize, rowBytes: i32, count: i32, out: usize): void {
  for (const end = out + (count << 2); out < end; out += 4) {
    store<u32>(out, at);
    at += rowBytes;
  }
}

/** Decodes rows that follow one another; returns where the next ones go. */
export function decodeRun(
  entries: usize,
  at: usize,
  count: i32,
  width: i32,
  decoded: usize,
  out: usize,
): usize {
  touch(at, count * entriesRowBytes(entries));
  for (const end = out + (count << 2); out < end; out += 4) {
    decodePadded(at, entriesDtype(entries), width, decoded);
    store<u32>(out, decoded);
    at += entriesRowBytes(entries);
    decoded += ((width + 3) & ~3) << 2;
  }
  return decoded;
}

/** A row as f32, with zeros up to a whole vector. */
export function decodePadded(at: usize, dtype: i32, width: i32, target: usize): void {
  decodeRow(at, dtype, 0, width, target);
  for (let d = width; (d & 3) !== 0; d++) store<f32>(target + (d << 2), 0);
}

/** Whether none of the first `width` channels (whole vectors) of rows is infinite or NaN: `x - x` is 0 for all others. */
export function areFinite(rows: usize, count: i32, width: i32): bool {
  let sum = f32x4.splat(0);
  for (const end = rows + (count << 2); rows < end; rows += 4) {
    const row: usize = load<u32>(rows);
    for (let at = row; at < row + (width << 2); at += 16) {
      const x = v128.load(at);
      sum = f32x4.add(sum, f32x4.sub(x, x));
    }
  }
  return !v128.any_true(f32x4.ne(sum, sum));
}

/**
 * Brings rows of f32 into the cache, a load a cache line: all are waited for together, where the kernels would wait
 * for one after the other. As it might trap, a load whose result nobody wants is not optimised away.
 */
export function touchRows(rows: usize, count: i32, width: i32): void {
  for (const end = rows + (count << 2); rows < end; rows += 4) {
    touch(load<u32>(rows), width << 2);
  }
}

function touch(at: usize, bytes: i32): void {
  for (const end = at + bytes; at < end; at += 64) load<i32>(at);
}
