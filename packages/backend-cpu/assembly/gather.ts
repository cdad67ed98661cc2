import { decodeRow } from './convert';
import { TILE } from './gemm';
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
 * Addresses of the first `width` channels, as f32, of entries `ids[0 .. count)`. Rows that need it are decoded into
 * `decoded`, with zeros up to a whole vector. The list is filled up to a multiple of 8 with its last address.
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
  const rowBytes = entriesRowBytes(entries);
  const decodes = needsDecoding(entries, width);
  let at: usize = 0;
  let next = -1;
  let left = 0;
  for (let i = 0; i < count; i++) {
    const id = load<i32>(ids + (i << 2));
    // Looking an entry up costs two divisions; a neighbour on the same page does not.
    if (id === next && left > 0) {
      at += rowBytes;
      left--;
    } else {
      at = entryAt(entries, row, head, id);
      left = entriesBehind(entries, id);
    }
    next = id + 1;
    const address = decodes ? decoded + ((i * ((width + 3) & ~3)) << 2) : at;
    if (decodes) decodePadded(at, entriesDtype(entries), width, address);
    store<u32>(rows + (i << 2), address);
  }
  const last = load<u32>(rows + ((count - 1) << 2));
  for (let i = count; (i & 7) !== 0; i++) store<u32>(rows + (i << 2), last);
}

/** A row as f32, with zeros up to a whole vector. */
export function decodePadded(at: usize, dtype: i32, width: i32, target: usize): void {
  decodeRow(at, dtype, 0, width, target);
  for (let d = width; (d & 3) !== 0; d++) store<f32>(target + (d << 2), 0);
}

/** The first `width` elements of rows as panels `[width / 8][TILE][8]`; the last is filled up with zeros. */
export function packValues(rows: usize, count: i32, width: i32, panels: usize): void {
  for (let column = 0; column < width; column += 8) {
    const at = column << 2;
    let panel = panels;
    if (column + 8 <= width) {
      for (let i = 0; i < count; i++) {
        const row = <usize>load<u32>(rows + (i << 2)) + at;
        v128.store(panel, v128.load(row));
        v128.store(panel, v128.load(row, 16), 16);
        panel += 32;
      }
    } else {
      for (let i = 0; i < count; i++) {
        const row = <usize>load<u32>(rows + (i << 2)) + at;
        memory.fill(panel, 0, 32);
        memory.copy(panel, row, (width - column) << 2);
        panel += 32;
      }
    }
    panels += TILE << 5;
  }
}
