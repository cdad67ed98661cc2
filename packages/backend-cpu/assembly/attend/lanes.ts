import { LANES } from '../lanes/block';
import { scoreLanes } from '../lanes/score';
import { softmaxLanes } from '../lanes/softmax';
import { weighLanes, weighSome } from '../lanes/weigh';
import { pointer, real, word } from '../layout';
import { softcapAll } from '../math';
import { LOG2E } from '../simd';
import { depthOf, paddedOf, rowAt, SOFTCAP } from './descriptor';
import {
  descOf,
  GATHERED,
  IDS,
  INTERVAL_COUNT,
  KEY_ROWS,
  QUERIES,
  STATE,
  stateAt,
  STRIP,
} from './frame';
import { maskLanes } from './intervals';
import { intervalsAt } from './sight';
import { tileIsFinite, valueRowsOf } from './values';

/** The eight rows from `r` on, side by side, against a tile. @param masked whether any of it is hidden from any */
export function attendLanes(frame: usize, r: i32, count: i32, masked: bool): void {
  const desc = descOf(frame);
  const strip = pointer(frame, STRIP);
  const depth = depthOf(desc);
  const padded = paddedOf(desc);
  const softcap = real(desc, SOFTCAP);
  const output = rowAt(desc, pointer(frame, GATHERED), padded, r);

  const queries = rowAt(desc, pointer(frame, QUERIES), depth, r);
  scoreLanes(queries, depth, pointer(frame, KEY_ROWS), (count + 3) & ~3, strip);
  if (softcap > 0) softcapAll(strip, strip + count * LANES, softcap, LOG2E);
  if (masked) hide(frame, r, strip, count);
  softmaxLanes(strip, count, stateAt(pointer(frame, STATE), r), output, padded);
  const values = valueRowsOf(frame);
  if (masked && !tileIsFinite(frame, count)) weighSome(strip, count, values, padded, output);
  else weighLanes(strip, count, values, padded, output);
}

function hide(frame: usize, r: i32, strip: usize, count: i32): void {
  const intervals = intervalsAt(frame, r);
  maskLanes(strip, pointer(frame, IDS), count, intervals, word(frame, INTERVAL_COUNT));
}
