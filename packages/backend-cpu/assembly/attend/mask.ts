import { STRIP } from '../gemm';
import {
  entriesLength,
  evaluate,
  firstPosition,
  partAt,
  pointer,
  RANGES,
  visibleAt,
  word,
} from '../layout';
import { spansOf } from '../spans';
import { groupOf, KEYS, POSITIONS, SELECTION, VISIBLE } from './descriptor';
import { descOf, IDS, kvHeadOf, liveRows, rowOf, SPARE_SPANS, STRIP_ROWS, tokenOf } from './frame';

/** Entries that query `token` of the task's batch row sees. */
export function visibleTo(frame: usize, token: i32): i32 {
  const desc = descOf(frame);
  const length = entriesLength(pointer(desc, KEYS), rowOf(frame));
  return visibleAt(pointer(desc, VISIBLE), positionOf(frame, token), length);
}

export function positionOf(frame: usize, token: i32): i32 {
  return firstPosition(pointer(descOf(frame), POSITIONS), rowOf(frame)) + token;
}

/** Columns that fill up the last panel. */
export function maskTail(strip: usize, count: i32, columns: i32): void {
  if (count === columns) return;
  for (let i = 0; i < 4; i++) {
    const row = strip + i * STRIP;
    for (let column = count; column < columns; column++) store<f32>(row + (column << 2), -Infinity);
  }
}

/**
 * Hides from each row of a strip the entries that its query does not see, or that its ranges leave out. Says whether
 * it had to look.
 */
export function maskQueries(frame: usize, r: i32, count: i32): bool {
  const rows = liveRows(frame);
  const group = groupOf(descOf(frame));
  const first = tokenOf(frame) + r / group;
  const last = tokenOf(frame) + min(rows - 1, r + 3) / group;
  const ids = pointer(frame, IDS);
  const lastId = load<i32>(ids + ((count - 1) << 2));
  // Several queries share a task only where a list is all they select, or ranges are (see src/attend.ts).
  const part = partAt(pointer(descOf(frame), SELECTION), 0);
  const ranged =
    word(part, 0) === RANGES &&
    !(
      covers(frame, part, first, load<i32>(ids), lastId) &&
      covers(frame, part, last, load<i32>(ids), lastId)
    );
  if (!ranged && lastId < visibleTo(frame, first)) return false;
  for (let i = 0; i < 4 && r + i < rows; i++) {
    const logits = pointer(frame, STRIP_ROWS) + i * STRIP;
    maskRow(frame, ranged, tokenOf(frame) + (r + i) / group, count, logits);
  }
  return true;
}

/** Keeps the logits of entries that the query sees and, if `ranged`, its ranges hold. */
function maskRow(frame: usize, ranged: bool, query: i32, count: i32, logits: usize): void {
  const visible = visibleTo(frame, query);
  const spare = pointer(frame, SPARE_SPANS);
  if (!ranged) {
    store<i32>(spare, 0);
    store<i32>(spare, visible, 4);
  }
  const spans = ranged ? rangesOf(frame, query, visible) : 1;
  const hidden = f32x4.splat(-Infinity);
  const ids = pointer(frame, IDS);
  for (let at = 0; at < count << 2; at += 16) {
    const id = v128.load(ids + at);
    let keep = i32x4.splat(0);
    for (let span = spare; span < spare + (spans << 3); span += 8) {
      const after = i32x4.ge_s(id, v128.load32_splat(span));
      keep = v128.or(keep, v128.and(after, i32x4.lt_s(id, v128.load32_splat(span, 4))));
    }
    v128.store(logits + at, v128.bitselect(v128.load(logits + at), hidden, keep));
  }
}

/** The ranges of one query, as spans in the frame's spare list; returns how many. */
export function rangesOf(frame: usize, query: i32, visible: i32): i32 {
  const selection = pointer(descOf(frame), SELECTION);
  const position = positionOf(frame, query);
  const spare = pointer(frame, SPARE_SPANS);
  return spansOf(
    selection,
    rowOf(frame),
    kvHeadOf(frame),
    query,
    query + 1,
    position,
    visible,
    spare,
  );
}

/** Whether one interval of a query's ranges holds all of `[first, last]`. */
function covers(frame: usize, part: usize, query: i32, first: i32, last: i32): bool {
  const position = positionOf(frame, query);
  for (let i = 0; i < word(part, 1); i++) {
    const interval = pointer(part, 2) + (i << 4);
    if (evaluate(interval, position) <= first && last < evaluate(interval + 8, position))
      return true;
  }
  return false;
}
