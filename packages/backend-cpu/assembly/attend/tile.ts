import { addRows, addWeighted, areFinite } from '../few';
import { addValues, STRIP } from '../gemm';
import { pointer, real, word } from '../layout';
import { gatherRows, packValues } from '../gather';
import { dots } from '../dots';
import { softcapStrip, softmaxRow } from '../softmax';
import {
  depthOf,
  groupOf,
  headDimOf,
  KEYS,
  paddedOf,
  SOFTCAP,
  VALUE_DIM,
  VALUES,
} from './descriptor';
import {
  DECODED_KEYS,
  DECODED_VALUES,
  descOf,
  FINITE,
  GATHERED,
  IDS,
  KEY_ROWS,
  kvHeadOf,
  liveRows,
  QUERIES,
  rowOf,
  STATE,
  STRIP_ROWS,
  tokenOf,
  VALUE_PANEL,
  VALUE_ROWS,
} from './frame';
import { maskQueries, maskTail, visibleTo } from './mask';

/** Rows that are too few for packed values to pay. */
const FEW: i32 = 4;

/** Finds the keys and values of a tile, and packs them unless there are few rows to use them. */
export function gatherTile(frame: usize, count: i32): void {
  store<i32>(frame + (FINITE << 2), 0);
  const desc = descOf(frame);
  const width = word(desc, VALUE_DIM);
  const keyRows = pointer(frame, KEY_ROWS);
  gather(frame, pointer(desc, KEYS), count, headDimOf(desc), DECODED_KEYS, keyRows);
  let valueRows = keyRows;
  if (pointer(desc, VALUES) !== 0) {
    valueRows = pointer(frame, VALUE_ROWS);
    gather(frame, pointer(desc, VALUES), count, width, DECODED_VALUES, valueRows);
  }
  if (liveRows(frame) <= FEW) return;
  packValues(valueRows, count, width, pointer(frame, VALUE_PANEL));
}

function gather(
  frame: usize,
  entries: usize,
  count: i32,
  width: i32,
  decoded: i32,
  rows: usize,
): void {
  const ids = pointer(frame, IDS);
  gatherRows(
    entries,
    rowOf(frame),
    kvHeadOf(frame),
    ids,
    count,
    width,
    pointer(frame, decoded),
    rows,
  );
}

/** A tile against every strip of four rows. */
export function attendTile(frame: usize, count: i32): void {
  const desc = descOf(frame);
  const rows = liveRows(frame);
  const firstId = load<i32>(pointer(frame, IDS));
  for (let r = 0; r < rows; r += 4) {
    const lastQuery = tokenOf(frame) + min(rows - 1, r + 3) / groupOf(desc);
    if (visibleTo(frame, lastQuery) > firstId) attendStrip(frame, r, count);
  }
}

function attendStrip(frame: usize, r: i32, count: i32): void {
  const desc = descOf(frame);
  const depth = depthOf(desc);
  const padded = paddedOf(desc);
  const strip = pointer(frame, STRIP_ROWS);
  const queries = pointer(frame, QUERIES) + ((r * depth) << 2);
  const output = pointer(frame, GATHERED) + ((r * padded) << 2);
  const state = pointer(frame, STATE) + (r << 3);
  const columns = (count + 7) & ~7;
  const live = min(4, liveRows(frame) - r);

  dots(queries, live, depth, pointer(frame, KEY_ROWS), columns, strip, STRIP, 1);
  if (real(desc, SOFTCAP) > 0) softcapStrip(strip, columns, real(desc, SOFTCAP));
  const masked = maskQueries(frame, r, count);
  maskTail(strip, count, columns);
  for (let i = 0; i < live; i++) {
    softmaxRow(strip + i * STRIP, columns, state + (i << 3), output + (i << 5), padded);
  }
  const valueRows = valueRowsOf(frame);
  const width = word(desc, VALUE_DIM);
  // What is hidden must not be touched: a weight of 0 does not make Infinity go away.
  if (masked && !tileIsFinite(frame, count))
    addWeighted(strip, live, valueRows, count, width, output);
  else if (liveRows(frame) <= FEW) addRows(strip, live, valueRows, count, width, output);
  else addValues(strip, pointer(frame, VALUE_PANEL), padded, count, output);
}

function valueRowsOf(frame: usize): usize {
  return pointer(frame, pointer(descOf(frame), VALUES) === 0 ? KEY_ROWS : VALUE_ROWS);
}

/** Looked up once a tile, and only where something is hidden. */
function tileIsFinite(frame: usize, count: i32): bool {
  const known = frame + (FINITE << 2);
  if (load<i32>(known) === 0) {
    const finite = areFinite(valueRowsOf(frame), count, word(descOf(frame), VALUE_DIM));
    store<i32>(known, finite ? 1 : 2);
  }
  return load<i32>(known) === 1;
}
