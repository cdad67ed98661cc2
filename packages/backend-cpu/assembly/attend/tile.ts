import { gatherRows, needsDecoding, touchRows } from '../gather';
import { pointer, word } from '../layout';
import { areFew, headDimOf, KEYS, VALUE_DIM, VALUES } from './descriptor';
import {
  DECODED_KEYS,
  DECODED_VALUES,
  descOf,
  FINITE,
  IDS,
  INTERVAL_COUNT,
  KEY_ROWS,
  kvHeadOf,
  liveRows,
  rowOf,
  VALUE_ROWS,
} from './frame';
import { attendFew } from './few';
import { covers, reaches } from './intervals';
import { attendLanes } from './lanes';
import { intervalsAt } from './sight';

/** Finds the keys and values of a tile. */
export function gatherTile(frame: usize, count: i32): void {
  store<i32>(frame + (FINITE << 2), 0);
  const desc = descOf(frame);
  gather(frame, pointer(desc, KEYS), count, headDimOf(desc), DECODED_KEYS, KEY_ROWS);
  if (pointer(desc, VALUES) === 0) return;
  gather(frame, pointer(desc, VALUES), count, word(desc, VALUE_DIM), DECODED_VALUES, VALUE_ROWS);
}

function gather(
  frame: usize,
  entries: usize,
  count: i32,
  width: i32,
  decoded: i32,
  rows: i32,
): void {
  gatherRows(
    entries,
    rowOf(frame),
    kvHeadOf(frame),
    pointer(frame, IDS),
    count,
    width,
    pointer(frame, decoded),
    pointer(frame, rows),
  );
  if (!needsDecoding(entries, width)) touchRows(pointer(frame, rows), count, width);
}

/** A tile against all rows that see any of it, eight at a time. */
export function attendTile(frame: usize, count: i32): void {
  const few = areFew(descOf(frame));
  const each = word(frame, INTERVAL_COUNT);
  const ids = pointer(frame, IDS);
  const first = word(ids, 0);
  const last = word(ids, count - 1);
  for (let r = 0; r < liveRows(frame); r += 8) {
    const intervals = intervalsAt(frame, r);
    if (!reaches(intervals, each, first, last)) continue;
    const masked = !covers(intervals, each, first, last);
    if (few) attendFew(frame, count, masked);
    else attendLanes(frame, r, count, masked);
  }
}
