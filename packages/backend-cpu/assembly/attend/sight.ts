import {
  entriesLength,
  evaluate,
  firstPosition,
  LIST,
  partAt,
  partCount,
  pointer,
  RANGES,
  visibleAt,
  word,
} from '../layout';
import { groupOf, KEYS, POSITIONS, SELECTION, VISIBLE } from './descriptor';
import { descOf, INTERVAL_COUNT, INTERVALS, liveRows, rowOf, tokenOf, validOf } from './frame';
import { INTERVAL, intervalsOf } from './intervals';

/** What the rows of a task see. */

/** Entries that query `token` of the task's batch row sees. */
export function visibleTo(frame: usize, token: i32): i32 {
  const desc = descOf(frame);
  const length = entriesLength(pointer(desc, KEYS), rowOf(frame));
  return visibleAt(pointer(desc, VISIBLE), positionOf(frame, token), length);
}

export function positionOf(frame: usize, token: i32): i32 {
  return firstPosition(pointer(descOf(frame), POSITIONS), rowOf(frame)) + token;
}

/** Writes the intervals of the task's rows; those that fill up an eight see what the last one does. */
export function writeIntervals(frame: usize): void {
  const rows = liveRows(frame);
  const group = groupOf(descOf(frame));
  const ranged = selectsRanges(frame);
  const each = ranged ? intervalsOf(pointer(descOf(frame), SELECTION)) : 1;
  store<i32>(frame + (INTERVAL_COUNT << 2), each);
  for (let r = 0; r < ((rows + 7) & ~7); r++) {
    const query = tokenOf(frame) + min(r, rows - 1) / group;
    const at = intervalsAt(frame, r) + ((r & 7) << 2);
    if (ranged) writeRanges(frame, query, at);
    else writeInterval(at, 0, visibleTo(frame, query));
  }
}

/** The intervals of the eight rows that row `r` is one of. */
export function intervalsAt(frame: usize, r: i32): usize {
  return pointer(frame, INTERVALS) + (r >> 3) * word(frame, INTERVAL_COUNT) * INTERVAL;
}

/**
 * Whether the queries of the task select differently by their positions. Several share a task only where lists, or
 * ranges, are all they select (see src/attend.ts); of a list they select the same, up to what is visible.
 */
function selectsRanges(frame: usize): bool {
  const selection = pointer(descOf(frame), SELECTION);
  return validOf(frame) - tokenOf(frame) > 1 && word(partAt(selection, 0), 0) !== LIST;
}

function writeRanges(frame: usize, query: i32, at: usize): void {
  const selection = pointer(descOf(frame), SELECTION);
  const visible = visibleTo(frame, query);
  for (let i = 0; i < partCount(selection); i++) {
    const part = partAt(selection, i);
    if (word(part, 0) === RANGES) {
      at = writeBounds(part, positionOf(frame, query), visible, at);
    } else {
      at = writeInterval(at, 0, visible);
    }
  }
}

function writeBounds(part: usize, position: i32, visible: i32, at: usize): usize {
  for (let i = 0; i < word(part, 1); i++) {
    const bounds = pointer(part, 2) + (i << 4);
    const end = min(visible, evaluate(bounds + 8, position));
    at = writeInterval(at, evaluate(bounds, position), end);
  }
  return at;
}

/** Writes a row's interval; returns where its next one goes. */
function writeInterval(at: usize, start: i32, end: i32): usize {
  store<i32>(at, start);
  store<i32>(at, end, 32);
  return at + INTERVAL;
}
