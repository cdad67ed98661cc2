import { dots } from '../dots';
import { softmaxRow } from '../few/softmax';
import { weighRows, weighSomeRows } from '../few/weigh';
import { pointer, real, word } from '../layout';
import { softcapAll } from '../math';
import { LOG2E } from '../simd';
import { TILE } from '../tiles';
import { depthOf, paddedOf, SOFTCAP } from './descriptor';
import {
  descOf,
  GATHERED,
  IDS,
  INTERVAL_COUNT,
  INTERVALS,
  KEY_ROWS,
  liveRows,
  QUERIES,
  STATE,
  stateAt,
  STRIP,
} from './frame';
import { maskRow } from './intervals';
import { tileIsFinite, valueRowsOf } from './values';

/** Bytes of a row of logits. */
const PITCH: i32 = TILE << 2;

/** All rows of a task of few, one after the other, against a tile. @param masked whether any of it is hidden from any */
export function attendFew(frame: usize, count: i32, masked: bool): void {
  const desc = descOf(frame);
  const rows = liveRows(frame);
  const padded = paddedOf(desc);
  const strip = pointer(frame, STRIP);
  const output = pointer(frame, GATHERED);
  const columns = (count + 7) & ~7;
  const keys = pointer(frame, KEY_ROWS);

  dots(pointer(frame, QUERIES), rows, depthOf(desc), keys, columns, strip, PITCH, 1);
  for (let r = 0; r < rows; r++) {
    const logits = strip + r * PITCH;
    finishLogits(frame, r, logits, count, columns, masked);
    softmaxRow(
      logits,
      columns,
      stateAt(pointer(frame, STATE), r),
      output + r * (padded << 2),
      padded,
    );
  }
  const values = valueRowsOf(frame);
  if (masked && !tileIsFinite(frame, count))
    weighSomeRows(strip, rows, count, values, padded, output);
  else weighRows(strip, rows, count, values, padded, output);
}

function finishLogits(
  frame: usize,
  r: i32,
  logits: usize,
  count: i32,
  columns: i32,
  masked: bool,
): void {
  const softcap = real(descOf(frame), SOFTCAP);
  if (softcap > 0) softcapAll(logits, logits + (columns << 2), softcap, LOG2E);
  if (masked) {
    const intervals = pointer(frame, INTERVALS) + (r << 2);
    maskRow(logits, pointer(frame, IDS), count, intervals, word(frame, INTERVAL_COUNT));
  }
  for (let i = count; i < columns; i++) store<f32>(logits + (i << 2), -Infinity);
}
