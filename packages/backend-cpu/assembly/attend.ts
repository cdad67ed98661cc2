import { addValues, multiplyKeys, STRIP, TILE } from './gemm';
import {
  entriesDtype,
  entriesHeads,
  entriesLength,
  entriesWidth,
  evaluate,
  F32,
  firstPosition,
  nextTask,
  partAt,
  pointer,
  positionRows,
  queryCount,
  RANGES,
  real,
  visibleAt,
  word,
} from './layout';
import { gatherRows, packKeys, packValues } from './pack';
import { exp2Scalar, LOG2E } from './simd';
import { resetState, softcapStrip, softmaxRow } from './softmax';
import { countEntries, spanBytes, spansOf } from './spans';
import { nextTile, startCursor } from './tiles';

/**
 * Attention over one branch: tiled online softmax. A task is a block of queries of one batch row and kv head, with
 * all query heads that share the head, against a share (split) of the entries that they select.
 *
 * Descriptor: [next, total, query, heads, tokens, headDim, keys, values | 0 (prefixes of the keys), valueDim,
 *   selection, visible, positions, scale, softcap | 0, output, logSumExp, counts, queryBlock, blocks, splits, partial]
 * `partial` holds, for each block (not split), splits x rows x (valueDim padded to 8, largest, sum).
 */
const QUERY: i32 = 2;
const HEADS: i32 = 3;
const TOKENS: i32 = 4;
const KEYS: i32 = 6;
const VALUES: i32 = 7;
const VALUE_DIM: i32 = 8;
const SELECTION: i32 = 9;
const VISIBLE: i32 = 10;
const POSITIONS: i32 = 11;
const SCALE: i32 = 12;
const SOFTCAP: i32 = 13;
const OUTPUT: i32 = 14;
const LOG_SUM_EXP: i32 = 15;
const COUNTS: i32 = 16;
const QUERY_BLOCK: i32 = 17;
const BLOCKS: i32 = 18;
const SPLITS: i32 = 19;
const PARTIAL: i32 = 20;

const headDimOf = (desc: usize): i32 => word(desc, 5);
const groupOf = (desc: usize): i32 => word(desc, HEADS) / entriesHeads(pointer(desc, KEYS));
/** Value channels, padded to whole panels. */
const paddedOf = (desc: usize): i32 => (word(desc, VALUE_DIM) + 7) & ~7;
/** Rows of a task, padded to whole strips. */
const rowsOf = (desc: usize): i32 => (word(desc, QUERY_BLOCK) * groupOf(desc) + 3) & ~3;

// A thread's scratch, in this order.
const keyPanelBytes = (desc: usize): usize => (TILE * headDimOf(desc)) << 2;
const valuePanelBytes = (desc: usize): usize => (TILE * paddedOf(desc)) << 2;
const queryBytes = (desc: usize): usize => (rowsOf(desc) * headDimOf(desc)) << 2;
const gatheredBytes = (desc: usize): usize => (rowsOf(desc) * paddedOf(desc)) << 2;
const stateBytes = (desc: usize): usize => rowsOf(desc) << 3;
const LIST_BYTES: usize = TILE << 2;

function decodedBytes(entries: usize): usize {
  return entriesDtype(entries) === F32 ? 0 : (TILE * entriesWidth(entries)) << 2;
}

/** Bytes of scratch that a thread needs. */
export function attendScratch(desc: usize): usize {
  const values = pointer(desc, VALUES);
  return (
    keyPanelBytes(desc) +
    valuePanelBytes(desc) +
    queryBytes(desc) +
    gatheredBytes(desc) +
    stateBytes(desc) +
    4 * STRIP +
    4 * LIST_BYTES +
    decodedBytes(pointer(desc, KEYS)) +
    (values === 0 ? 0 : decodedBytes(values)) +
    2 * spanBytes(pointer(desc, SELECTION))
  );
}

export function attend(desc: usize, scratch: usize): void {
  const splits = word(desc, SPLITS);
  const blocks = word(desc, BLOCKS);
  const kvHeads = entriesHeads(pointer(desc, KEYS));
  const lanes = positionRows(pointer(desc, POSITIONS)) * kvHeads;
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const split = task % splits;
    const rest = task / splits;
    // The last blocks see most when causal: first come the long tasks.
    const block = blocks - 1 - rest / lanes;
    const lane = rest % lanes;
    attendBlock(desc, scratch, lane / kvHeads, lane % kvHeads, block, split);
  }
}

function attendBlock(
  desc: usize,
  scratch: usize,
  row: i32,
  kvHead: i32,
  block: i32,
  split: i32,
): void {
  const positions = pointer(desc, POSITIONS);
  const token = block * word(desc, QUERY_BLOCK);
  const tokenEnd = min(token + word(desc, QUERY_BLOCK), word(desc, TOKENS));
  const valid = min(tokenEnd, queryCount(positions, row));
  const queries = scratch + keyPanelBytes(desc) + valuePanelBytes(desc);
  const gathered = queries + queryBytes(desc);
  const state = gathered + gatheredBytes(desc);
  memory.fill(gathered, 0, gatheredBytes(desc));
  resetState(state, rowsOf(desc));
  if (split === 0) clearCounts(desc, row, kvHead, token, tokenEnd);

  if (valid > token) {
    const keys = pointer(desc, KEYS);
    const position = firstPosition(positions, row) + token;
    const length = entriesLength(keys, row);
    const visible = visibleAt(pointer(desc, VISIBLE), position + valid - token - 1, length);
    const spans = scratch + attendScratch(desc) - 2 * spanBytes(pointer(desc, SELECTION));
    const spare = spans + spanBytes(pointer(desc, SELECTION));
    const selection = pointer(desc, SELECTION);
    const count = spansOf(selection, row, kvHead, token, valid, position, visible, spans);
    if (split === 0) countReads(desc, row, kvHead, token, valid, spans, count, spare);
    packQueries(desc, row, kvHead, token, valid, queries);
    attendSpans(desc, scratch, row, kvHead, token, valid, spans, countEntries(spans, count), split);
  }
  if (word(desc, SPLITS) === 1) {
    writeRows(desc, row, kvHead, token, tokenEnd, gathered, state);
  } else {
    const at = partialAt(desc, row, kvHead, block, split);
    memory.copy(at, gathered, gatheredBytes(desc) + stateBytes(desc));
  }
}

/** Tiles of the spans that belong to this split, each against all strips of rows. */
function attendSpans(
  desc: usize,
  scratch: usize,
  row: i32,
  kvHead: i32,
  token: i32,
  valid: i32,
  spans: usize,
  entries: i32,
  split: i32,
): void {
  const keys = pointer(desc, KEYS);
  const values = pointer(desc, VALUES);
  const keyPanel = scratch;
  const valuePanel = keyPanel + keyPanelBytes(desc);
  const queries = valuePanel + valuePanelBytes(desc);
  const gathered = queries + queryBytes(desc);
  const state = gathered + gatheredBytes(desc);
  const strip = state + stateBytes(desc);
  const ids = strip + 4 * STRIP;
  const keyRows = ids + LIST_BYTES;
  const valueRows = keyRows + LIST_BYTES;
  const cursor = valueRows + LIST_BYTES;
  const decoded = cursor + LIST_BYTES;

  const tiles = (entries + TILE - 1) / TILE;
  const splits = word(desc, SPLITS);
  const first = ((tiles * split) / splits) * TILE;
  const last = min(entries, ((tiles * (split + 1)) / splits) * TILE);
  startCursor(cursor, spans, first, last - first);
  for (let count = nextTile(cursor, spans, ids); count > 0; count = nextTile(cursor, spans, ids)) {
    gatherRows(keys, row, kvHead, ids, count, headDimOf(desc), decoded, keyRows);
    packKeys(keyRows, count, headDimOf(desc), keyPanel);
    if (values === 0) {
      packValues(keyRows, count, word(desc, VALUE_DIM), valuePanel);
    } else {
      const valuesDecoded = decoded + decodedBytes(keys);
      gatherRows(values, row, kvHead, ids, count, word(desc, VALUE_DIM), valuesDecoded, valueRows);
      packValues(valueRows, count, word(desc, VALUE_DIM), valuePanel);
    }
    attendTile(
      desc,
      row,
      token,
      valid,
      ids,
      count,
      keyPanel,
      valuePanel,
      queries,
      gathered,
      state,
      strip,
    );
  }
}

function attendTile(
  desc: usize,
  row: i32,
  token: i32,
  valid: i32,
  ids: usize,
  count: i32,
  keyPanel: usize,
  valuePanel: usize,
  queries: usize,
  gathered: usize,
  state: usize,
  strip: usize,
): void {
  const headDim = headDimOf(desc);
  const padded = paddedOf(desc);
  const group = groupOf(desc);
  const softcap = real(desc, SOFTCAP);
  const columns = (count + 7) & ~7;
  const rows = (valid - token) * group;
  const firstId = load<i32>(ids);
  for (let r = 0; r < rows; r += 4) {
    const lastQuery = token + min(rows - 1, r + 3) / group;
    if (visibleTo(desc, row, lastQuery) <= firstId) continue;
    multiplyKeys(queries + ((r * headDim) << 2), keyPanel, headDim, count, strip);
    if (softcap > 0) softcapStrip(strip, columns, softcap);
    maskTail(strip, count, columns);
    maskQueries(desc, row, token, r, rows, ids, count, strip);
    const output = gathered + ((r * padded) << 2);
    for (let i = 0; i < 4; i++) {
      const own = strip + i * STRIP;
      softmaxRow(own, columns, state + ((r + i) << 3), output + (i << 5), padded);
    }
    addValues(strip, valuePanel, padded, count, output);
  }
}

/** Entries that query `token` of a row sees. */
function visibleTo(desc: usize, row: i32, token: i32): i32 {
  const position = firstPosition(pointer(desc, POSITIONS), row) + token;
  return visibleAt(pointer(desc, VISIBLE), position, entriesLength(pointer(desc, KEYS), row));
}

function maskTail(strip: usize, count: i32, columns: i32): void {
  for (let i = 0; i < 4; i++) {
    const row = strip + i * STRIP;
    for (let column = count; column < columns; column++) store<f32>(row + (column << 2), -Infinity);
  }
}

/** Hides from each row of a strip the entries that its query does not see, or that its ranges leave out. */
function maskQueries(
  desc: usize,
  row: i32,
  token: i32,
  r: i32,
  rows: i32,
  ids: usize,
  count: i32,
  strip: usize,
): void {
  const group = groupOf(desc);
  const firstQuery = token + r / group;
  const lastQuery = token + min(rows - 1, r + 3) / group;
  const firstId = load<i32>(ids);
  const lastId = load<i32>(ids + ((count - 1) << 2));
  // Only blocks of ranges alone hold several queries of unlike ranges (see the host).
  const part = partAt(pointer(desc, SELECTION), 0);
  const position = firstPosition(pointer(desc, POSITIONS), row);
  const ranged =
    word(part, 0) === RANGES &&
    !(
      covered(part, position + firstQuery, firstId, lastId) &&
      covered(part, position + lastQuery, firstId, lastId)
    );
  if (!ranged && lastId < visibleTo(desc, row, firstQuery)) return;
  for (let i = 0; i < 4 && r + i < rows; i++) {
    const query = token + (r + i) / group;
    const visible = visibleTo(desc, row, query);
    const logits = strip + i * STRIP;
    for (let column = 0; column < count; column++) {
      const id = load<i32>(ids + (column << 2));
      const reads = id < visible && (!ranged || covered(part, position + query, id, id));
      if (!reads) store<f32>(logits + (column << 2), -Infinity);
    }
  }
}

/** Whether one interval of the query at `position` holds all of `[first, last]`. */
function covered(part: usize, position: i32, first: i32, last: i32): bool {
  const intervals = pointer(part, 2);
  for (let i = 0; i < word(part, 1); i++) {
    const interval = intervals + (i << 4);
    if (evaluate(interval, position) <= first && last < evaluate(interval + 8, position))
      return true;
  }
  return false;
}

/** Rows as strips of `[headDim][4]`, scaled into base 2; padding rows are zeros. */
function packQueries(
  desc: usize,
  row: i32,
  kvHead: i32,
  token: i32,
  valid: i32,
  queries: usize,
): void {
  const headDim = headDimOf(desc);
  const group = groupOf(desc);
  const softcap = real(desc, SOFTCAP);
  const scale = softcap > 0 ? real(desc, SCALE) : real(desc, SCALE) * LOG2E;
  const rows = (valid - token) * group;
  for (let r = 0; r < ((rows + 3) & ~3); r++) {
    const strip = queries + (((r & ~3) * headDim) << 2) + ((r & 3) << 2);
    if (r >= rows) {
      for (let d = 0; d < headDim; d++) store<f32>(strip + (d << 4), 0);
      continue;
    }
    const source = pointer(desc, QUERY) + ((queryRow(desc, row, kvHead, token, r) * headDim) << 2);
    for (let d = 0; d < headDim; d++) {
      store<f32>(strip + (d << 4), load<f32>(source + (d << 2)) * scale);
    }
  }
}

/** Row `r` of a task in `[batch, heads, tokens]`. */
function queryRow(desc: usize, row: i32, kvHead: i32, token: i32, r: i32): i32 {
  const group = groupOf(desc);
  const head = kvHead * group + (r % group);
  return (row * word(desc, HEADS) + head) * word(desc, TOKENS) + token + r / group;
}

function writeRows(
  desc: usize,
  row: i32,
  kvHead: i32,
  token: i32,
  tokenEnd: i32,
  gathered: usize,
  state: usize,
): void {
  const valueDim = word(desc, VALUE_DIM);
  const padded = paddedOf(desc);
  for (let r = 0; r < (tokenEnd - token) * groupOf(desc); r++) {
    const at = queryRow(desc, row, kvHead, token, r);
    const largest = load<f32>(state + (r << 3));
    const sum = load<f32>(state + (r << 3), 4);
    const read = largest !== -Infinity;
    const logSum = <f32>(<f64>largest * Math.LN2 + Math.log(<f64>sum));
    store<f32>(pointer(desc, LOG_SUM_EXP) + (at << 2), read ? logSum : -Infinity);
    const source = gathered + (((r & ~3) * padded) << 2) + ((r & 3) << 5);
    const target = pointer(desc, OUTPUT) + ((at * valueDim) << 2);
    const factor: f32 = read ? <f32>1 / sum : 0;
    for (let d = 0; d < valueDim; d++) {
      const value = load<f32>(source + ((d >> 3) << 7) + ((d & 7) << 2));
      store<f32>(target + (d << 2), read ? value * factor : 0);
    }
  }
}

function countsAt(desc: usize, row: i32, kvHead: i32): usize {
  const kvHeads = entriesHeads(pointer(desc, KEYS));
  return pointer(desc, COUNTS) + (((row * kvHeads + kvHead) * word(desc, TOKENS)) << 2);
}

/** Padding reads nothing. */
function clearCounts(desc: usize, row: i32, kvHead: i32, token: i32, tokenEnd: i32): void {
  memory.fill(countsAt(desc, row, kvHead) + (token << 2), 0, (tokenEnd - token) << 2);
}

/** Entries that each query reads. */
function countReads(
  desc: usize,
  row: i32,
  kvHead: i32,
  token: i32,
  valid: i32,
  spans: usize,
  count: i32,
  spare: usize,
): void {
  const selection = pointer(desc, SELECTION);
  const counts = countsAt(desc, row, kvHead);
  for (let query = token; query < valid; query++) {
    const visible = visibleTo(desc, row, query);
    let read: i32;
    if (word(partAt(selection, 0), 0) === RANGES && valid - token > 1) {
      const position = firstPosition(pointer(desc, POSITIONS), row) + query;
      const own = spansOf(selection, row, kvHead, query, query + 1, position, visible, spare);
      read = countEntries(spare, own);
    } else {
      read = countBelow(spans, count, visible);
    }
    store<i32>(counts + (query << 2), read);
  }
}

function countBelow(spans: usize, count: i32, visible: i32): i32 {
  let entries = 0;
  for (let i = 0; i < count; i++) {
    const span = spans + (i << 3);
    const start = load<i32>(span);
    if (start >= visible) break;
    entries += min(visible, load<i32>(span, 4)) - start;
  }
  return entries;
}

function partialAt(desc: usize, row: i32, kvHead: i32, block: i32, split: i32): usize {
  const kvHeads = entriesHeads(pointer(desc, KEYS));
  const index =
    ((row * kvHeads + kvHead) * word(desc, BLOCKS) + block) * word(desc, SPLITS) + split;
  return pointer(desc, PARTIAL) + index * (gatheredBytes(desc) + stateBytes(desc));
}

/** Bytes of `partial` for each block and split. */
export function attendPartial(desc: usize): usize {
  return gatheredBytes(desc) + stateBytes(desc);
}

/** Joins the splits of each block; a task is a block. Splits come in order, so that sums repeat exactly. */
export function attendJoin(desc: usize): void {
  const kvHeads = entriesHeads(pointer(desc, KEYS));
  const blocks = word(desc, BLOCKS);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const block = task % blocks;
    const lane = task / blocks;
    joinBlock(desc, lane / kvHeads, lane % kvHeads, block);
  }
}

function joinBlock(desc: usize, row: i32, kvHead: i32, block: i32): void {
  const first = partialAt(desc, row, kvHead, block, 0);
  for (let split = 1; split < word(desc, SPLITS); split++) {
    addPartial(desc, first, partialAt(desc, row, kvHead, block, split));
  }
  const token = block * word(desc, QUERY_BLOCK);
  const tokenEnd = min(token + word(desc, QUERY_BLOCK), word(desc, TOKENS));
  writeRows(desc, row, kvHead, token, tokenEnd, first, first + gatheredBytes(desc));
}

function addPartial(desc: usize, into: usize, from: usize): void {
  const padded = paddedOf(desc);
  for (let r = 0; r < rowsOf(desc); r++) {
    const intoState = into + gatheredBytes(desc) + (r << 3);
    const fromState = from + gatheredBytes(desc) + (r << 3);
    const a = load<f32>(intoState);
    const b = load<f32>(fromState);
    const largest = max<f32>(a, b);
    if (b === -Infinity) continue;
    const keep = weightOf(a, largest);
    const add = weightOf(b, largest);
    store<f32>(intoState, largest);
    store<f32>(intoState, load<f32>(intoState, 4) * keep + load<f32>(fromState, 4) * add, 4);
    const offset = (((r & ~3) * padded) << 2) + ((r & 3) << 5);
    for (let d = 0; d < padded; d++) {
      const at = offset + ((d >> 3) << 7) + ((d & 7) << 2);
      store<f32>(into + at, load<f32>(into + at) * keep + load<f32>(from + at) * add);
    }
  }
}

function weightOf(largest: f32, joint: f32): f32 {
  if (largest === joint) return 1;
  return largest === -Infinity || joint === Infinity ? 0 : exp2Scalar(largest - joint);
}
