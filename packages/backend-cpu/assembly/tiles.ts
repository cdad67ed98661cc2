/** Entries a tile, at most. */
export const TILE: i32 = 64;

/** Walks spans a tile of entries at a time. A cursor is `[span, entries of it that were taken, entries left]`. */

export function startCursor(cursor: usize, spans: usize, skip: i32, entries: i32): void {
  let span = 0;
  while (entries > 0) {
    const length = spanLength(spans, span);
    if (skip < length) break;
    skip -= length;
    span++;
  }
  store<i32>(cursor, span);
  store<i32>(cursor, skip, 4);
  store<i32>(cursor, entries, 8);
}

/** Ids of the next tile; returns how many, 0 at the end. */
export function nextTile(cursor: usize, spans: usize, ids: usize): i32 {
  const wanted = min(TILE, load<i32>(cursor, 8));
  let span = load<i32>(cursor);
  let taken = load<i32>(cursor, 4);
  let count = 0;
  while (count < wanted) {
    const start = load<i32>(spans + (span << 3)) + taken;
    const here = min(wanted - count, spanLength(spans, span) - taken);
    for (let i = 0; i < here; i++) store<i32>(ids + ((count + i) << 2), start + i);
    count += here;
    taken += here;
    if (taken === spanLength(spans, span)) {
      span++;
      taken = 0;
    }
  }
  store<i32>(cursor, span);
  store<i32>(cursor, taken, 4);
  store<i32>(cursor, load<i32>(cursor, 8) - count, 8);
  return count;
}

/** @inline */
function spanLength(spans: usize, i: i32): i32 {
  const span = spans + (i << 3);
  return load<i32>(span, 4) - load<i32>(span);
}
