import { needsDecoding } from '../gather';
import { LANES } from '../lanes/block';
import { pointer, queryCount, word } from '../layout';
import { spanBytes } from '../spans';
import { TILE } from '../tiles';
import {
  depthOf,
  groupOf,
  headDimOf,
  KEYS,
  paddedOf,
  POSITIONS,
  QUERY_BLOCK,
  rowsOf,
  SELECTION,
  TOKENS,
  VALUES,
  VALUE_DIM,
} from './descriptor';
import { INTERVAL, intervalsOf } from './intervals';

/**
 * A thread's scratch. It begins with the frame: where everything else lies, and the task at hand.
 * [desc, row, kvHead, token, valid (end of the queries that are no padding), then addresses]
 */
const DESC: i32 = 0;
const ROW: i32 = 1;
const KV_HEAD: i32 = 2;
const TOKEN: i32 = 3;
const VALID: i32 = 4;
/** Queries of the task, and their weighted values so far (see `rowAt`); behind those the state of the rows. */
export const QUERIES: i32 = 5;
export const GATHERED: i32 = 6;
export const STATE: i32 = 7;
/** What the rows may see: intervals.ts. */
export const INTERVALS: i32 = 8;
export const INTERVAL_COUNT: i32 = 9;
/** Logits, then weights, of a few rows `[rows][TILE]` or of eight `[TILE][8]` against a tile. */
export const STRIP: i32 = 10;
/** Ids of a tile's entries, and the addresses of their keys and values. */
export const IDS: i32 = 11;
export const KEY_ROWS: i32 = 12;
export const VALUE_ROWS: i32 = 13;
export const CURSOR: i32 = 14;
/** Rows decoded from f16 or i8. */
export const DECODED_KEYS: i32 = 15;
export const DECODED_VALUES: i32 = 16;
export const SPANS: i32 = 17;
export const SPARE_SPANS: i32 = 18;
/** Whether all values of the tile are finite: 0 not known yet, 1 yes, 2 no. */
export const FINITE: i32 = 19;
const WORDS: i32 = 20;

export function descOf(frame: usize): usize {
  return pointer(frame, DESC);
}
export function rowOf(frame: usize): i32 {
  return word(frame, ROW);
}
export function kvHeadOf(frame: usize): i32 {
  return word(frame, KV_HEAD);
}
export function tokenOf(frame: usize): i32 {
  return word(frame, TOKEN);
}
export function validOf(frame: usize): i32 {
  return word(frame, VALID);
}
/** End of the task's queries, padding included. */
export function tokenEnd(frame: usize): i32 {
  const desc = descOf(frame);
  return min(tokenOf(frame) + word(desc, QUERY_BLOCK), word(desc, TOKENS));
}
/** Rows of the task that are no padding. */
export function liveRows(frame: usize): i32 {
  return (validOf(frame) - tokenOf(frame)) * groupOf(descOf(frame));
}

export function gatheredBytes(desc: usize): i32 {
  return (rowsOf(desc) * paddedOf(desc)) << 2;
}
export function stateBytes(desc: usize): i32 {
  return rowsOf(desc) << 3;
}
/** The state of row `r`: its largest logit, and `LANES` bytes on its sum, of `[rows / 8][8 largest][8 sums]`. */
export function stateAt(states: usize, r: i32): usize {
  return states + ((r >> 3) << 6) + ((r & 7) << 2);
}

/** Writes the addresses of a frame; returns the bytes of scratch. With frame 0 it only counts. */
export function layOut(frame: usize, desc: usize): usize {
  const keys = pointer(desc, KEYS);
  const values = pointer(desc, VALUES);
  const selection = pointer(desc, SELECTION);
  const spans = <i32>spanBytes(selection);
  let end = place(frame, DESC, 0, WORDS << 2);
  if (frame !== 0) store<u32>(frame, <u32>desc);
  end = place(frame, QUERIES, end, (rowsOf(desc) * depthOf(desc)) << 2);
  end = place(frame, GATHERED, end, gatheredBytes(desc));
  end = place(frame, STATE, end, stateBytes(desc));
  end = place(frame, INTERVALS, end, (rowsOf(desc) >> 3) * intervalsOf(selection) * INTERVAL);
  end = place(frame, STRIP, end, TILE * LANES);
  end = place(frame, IDS, end, TILE << 2);
  end = place(frame, KEY_ROWS, end, TILE << 2);
  end = place(frame, VALUE_ROWS, end, TILE << 2);
  end = place(frame, CURSOR, end, 16);
  end = place(frame, DECODED_KEYS, end, decodedBytes(keys, headDimOf(desc)));
  end = place(
    frame,
    DECODED_VALUES,
    end,
    values === 0 ? 0 : decodedBytes(values, word(desc, VALUE_DIM)),
  );
  end = place(frame, SPANS, end, spans);
  return place(frame, SPARE_SPANS, end, spans);
}

/** Puts a block at `offset`; returns where the next one may begin, 16-byte aligned. */
function place(frame: usize, field: i32, offset: usize, bytes: i32): usize {
  if (frame !== 0) store<u32>(frame + (field << 2), <u32>(frame + offset));
  return (offset + bytes + 15) & ~15;
}

function decodedBytes(entries: usize, width: i32): i32 {
  return needsDecoding(entries, width) ? (TILE * ((width + 3) & ~3)) << 2 : 0;
}

/** Makes the queries of a block, of one batch row and kv head, the task at hand. */
export function takeBlock(frame: usize, row: i32, kvHead: i32, block: i32): void {
  const desc = descOf(frame);
  const token = block * word(desc, QUERY_BLOCK);
  const count = queryCount(pointer(desc, POSITIONS), row);
  store<i32>(frame + (ROW << 2), row);
  store<i32>(frame + (KV_HEAD << 2), kvHead);
  store<i32>(frame + (TOKEN << 2), token);
  store<i32>(frame + (VALID << 2), max(token, min(tokenEnd(frame), count)));
}
