import {
  entriesHeads,
  entriesLength,
  firstPosition,
  pointer,
  queryCount,
  visibleAt,
  word,
} from '../layout';
import { encodeRow } from './codes';
import {
  ANTIDIAGONAL,
  BLOCK,
  BOUNDS,
  CELL,
  CODED,
  DEPTH,
  FIRST_LIST,
  HEAD_RUN,
  HEADS,
  INNER,
  KEPT,
  KEPT_ENTRIES,
  KEYS,
  KIND,
  LENGTHS,
  LIST_GROUP,
  LIST_HEADS,
  POSITIONS,
  QUERY,
  QUERY_BLOCK,
  QUERY_BLOCKS,
  REDUCE,
  RELU,
  ROWS_FROM,
  ROWS_TO,
  SCORES,
  SEEN,
  SLICES,
  SLOT_UNITS,
  SLOTS_PER_LIST,
  SPEC,
  SPLIT_BOUNDS,
  STATISTICS,
  TOKENS,
  UNION,
  VISIBLE,
  WEIGHTS,
  WIDTH,
} from './spec';
import {
  BATCH_ROW,
  ceilDiv,
  CODED_ROWS,
  MOST_SEEN,
  MOST_UNITS,
  QUERIES,
  RECORDS,
  region,
  ROW_WEIGHTS,
  ROWS,
  setWord,
} from './work';

// A row's record, in words.
/** Units that its query may pick, and scored entries that it sees. */
export const ROW_UNITS: i32 = 0;
export const ROW_SEEN: i32 = 1;
/** Where its scores go, and its statistics. */
export const ROW_SLOT: i32 = 2;
export const ROW_STATISTICS: i32 = 3;
/** f32: its largest logit, and the sum of the exponentials or what to multiply them with. */
export const ROW_LARGEST: i32 = 4;
export const ROW_SUM: i32 = 5;
/** With SPLIT_BOUNDS: whether its query has an infinite channel (see bounds.ts). */
export const ROW_INFINITE: i32 = 6;
/** Where its logits are kept from one pass to the next, or 0. */
export const ROW_KEPT: i32 = 7;

/** @inline */
export function recordAt(spec: usize, work: usize, i: i32): usize {
  return region(spec, work, RECORDS) + (i << 5);
}

export function clearRows(spec: usize, work: usize): void {
  setWord(work, CODED_ROWS, word(spec, CODED));
  setWord(work, ROWS, 0);
  setWord(work, MOST_UNITS, 0);
  setWord(work, MOST_SEEN, 0);
}

/** The batch row and head of a list. */
export function batchRowOf(spec: usize, list: i32): i32 {
  return list / word(spec, QUERY_BLOCKS) / word(spec, LIST_HEADS);
}

export function firstHeadOf(spec: usize, list: i32): i32 {
  const listHead = (list / word(spec, QUERY_BLOCKS)) % word(spec, LIST_HEADS);
  return listHead * word(spec, LIST_GROUP);
}

/** The first query of a list, and the one behind its last. */
export function firstQuery(spec: usize, list: i32): i32 {
  return (list % word(spec, QUERY_BLOCKS)) * word(spec, QUERY_BLOCK);
}

export function endQuery(spec: usize, list: i32): i32 {
  const count = queryCount(pointer(spec, POSITIONS), batchRowOf(spec, list));
  return min(firstQuery(spec, list) + word(spec, QUERY_BLOCK), count);
}

/** Units that a query sees the beginning of. */
export function unitsAt(spec: usize, batchRow: i32, token: i32): i32 {
  const position = firstPosition(pointer(spec, POSITIONS), batchRow) + token;
  const length = word(pointer(spec, LENGTHS), batchRow);
  return ceilDiv(visibleAt(pointer(spec, VISIBLE), position, length), word(spec, BLOCK));
}

/** Units that a list may pick from: its last query sees most. */
export function unitsOfList(spec: usize, list: i32): i32 {
  const end = endQuery(spec, list);
  if (end <= firstQuery(spec, list)) return 0;
  return unitsAt(spec, batchRowOf(spec, list), end - 1);
}

/** Scored entries (cells, antidiagonally) that a query sees. */
function entriesSeenAt(spec: usize, batchRow: i32, token: i32, units: i32): i32 {
  const length = entriesLength(pointer(spec, KEYS), batchRow);
  if (word(spec, KIND) === BOUNDS || word(spec, KIND) === SPLIT_BOUNDS) return min(units, length);
  const position = firstPosition(pointer(spec, POSITIONS), batchRow) + token;
  const seen = visibleAt(pointer(spec, SEEN), position, length);
  return word(spec, KIND) === ANTIDIAGONAL ? ceilDiv(seen, word(spec, CELL)) : seen;
}

/** The kv head that a query head reads. */
export function kvHeadOf(spec: usize, head: i32): i32 {
  if (word(spec, KIND) === RELU) return 0;
  return head / (word(spec, HEADS) / entriesHeads(pointer(spec, KEYS)));
}

/** Adds the rows of a list whose queries lie in `[from, to)`, of a run of heads; neighbours see alike. */
export function addRows(wave: usize, work: usize, list: i32, head: i32, from: i32, to: i32): void {
  const spec = pointer(wave, SPEC);
  const cell = word(spec, CELL);
  const group = word(spec, LIST_GROUP);
  const start = firstQuery(spec, list);
  const end = endQuery(spec, list);
  for (let token = start; token < min(end, to); token += cell) {
    if (token < from) continue;
    const last = min(end, token + cell) - 1;
    for (let h = head; h < head + word(spec, HEAD_RUN); h++) {
      const r = ((token - start) / cell) * group + (h % group);
      if (r < word(wave, ROWS_FROM) || r >= word(wave, ROWS_TO)) continue;
      addRow(wave, work, list, r - word(wave, ROWS_FROM), last);
      prepareRow(spec, work, word(work, ROWS) - 1, h, token);
    }
  }
}

/** @param r the row's number in its list and wave @param last its query that sees furthest */
function addRow(wave: usize, work: usize, list: i32, r: i32, last: i32): void {
  const spec = pointer(wave, SPEC);
  const batchRow = word(work, BATCH_ROW);
  const units = unitsAt(spec, batchRow, last);
  const seen = entriesSeenAt(spec, batchRow, last, units);
  const index = list - word(wave, FIRST_LIST);
  const slot = index * word(wave, SLOTS_PER_LIST) + (word(spec, REDUCE) === UNION ? r : 0);
  const row = index * (word(wave, ROWS_TO) - word(wave, ROWS_FROM)) + r;
  const record = recordAt(spec, work, word(work, ROWS));
  setWord(record, ROW_UNITS, units);
  setWord(record, ROW_SEEN, seen);
  setWord(record, ROW_SLOT, word(wave, SCORES) + ((slot * word(wave, SLOT_UNITS)) << 2));
  setWord(record, ROW_STATISTICS, word(wave, STATISTICS) + ((row * word(wave, SLICES)) << 3));
  const kept = word(wave, KEPT) + ((row * word(wave, KEPT_ENTRIES)) << 2);
  setWord(record, ROW_KEPT, word(wave, KEPT) === 0 ? 0 : kept);
  setWord(work, ROWS, word(work, ROWS) + 1);
  setWord(work, MOST_UNITS, max(word(work, MOST_UNITS), units));
  setWord(work, MOST_SEEN, max(word(work, MOST_SEEN), seen));
}

/** Lays a row out for the matrix product. */
function prepareRow(spec: usize, work: usize, index: i32, head: i32, token: i32): void {
  const kind = word(spec, KIND);
  const depth = word(spec, DEPTH);
  const row = word(work, BATCH_ROW);
  const out = region(spec, work, QUERIES) + ((index * word(spec, INNER) * depth) << 2);
  if (kind === RELU) prepareHeads(spec, work, index, token);
  else if (kind === ANTIDIAGONAL) prepareCell(spec, row, head, token, out);
  else if (kind === SPLIT_BOUNDS) {
    copyQuery(spec, row, head, token, out, depth >> 1);
    setWord(recordAt(spec, work, index), ROW_INFINITE, i32(splitSigns(out, depth >> 1)));
  } else {
    copyQuery(spec, row, head, token, out, depth);
    if (word(work, CODED_ROWS)) encodeRow(spec, work, index);
  }
}

/** The heads of an indexer, one below the other, and their weights. */
function prepareHeads(spec: usize, work: usize, index: i32, token: i32): void {
  const row = word(work, BATCH_ROW);
  const depth = word(spec, DEPTH);
  const inner = word(spec, INNER);
  for (let j = 0; j < inner; j++) {
    const i = index * inner + j;
    copyQuery(spec, row, j, token, region(spec, work, QUERIES) + ((i * depth) << 2), depth);
    copyWeight(spec, work, i, row, j, token);
    if (word(work, CODED_ROWS)) encodeRow(spec, work, i);
  }
}

/** The queries of a cell side by side, the last one first. */
function prepareCell(spec: usize, row: i32, head: i32, token: i32, out: usize): void {
  const cell = word(spec, CELL);
  const part = word(spec, DEPTH) / cell;
  for (let r = 0; r < cell; r++) {
    copyQuery(spec, row, head, token + cell - 1 - r, out + ((r * part) << 2), part);
  }
}

/** A query, with zeros behind it up to `padded` channels; queries past the end are zeros. */
function copyQuery(spec: usize, row: i32, head: i32, token: i32, out: usize, padded: i32): void {
  const exists = token < queryCount(pointer(spec, POSITIONS), row);
  const width = exists ? word(spec, WIDTH) : 0;
  const index = queryIndex(spec, row, head, token) * word(spec, WIDTH);
  memory.copy(out, pointer(spec, QUERY) + (index << 2), width << 2);
  memory.fill(out + (width << 2), 0, (padded - width) << 2);
}

function copyWeight(spec: usize, work: usize, i: i32, row: i32, head: i32, token: i32): void {
  const index = queryIndex(spec, row, head, token);
  const out = region(spec, work, ROW_WEIGHTS) + (i << 2);
  store<f32>(out, load<f32>(pointer(spec, WEIGHTS) + (index << 2)));
}

/** Where a query lies in `[batch, heads, tokens]`. */
function queryIndex(spec: usize, row: i32, head: i32, token: i32): i32 {
  return (row * word(spec, HEADS) + head) * word(spec, TOKENS) + token;
}

/** `[q]` to `[max(q, 0), min(q, 0)]`, NaN in both; says whether any channel is infinite. */
function splitSigns(row: usize, width: i32): bool {
  const zero = f32x4.splat(0);
  const bytes = width << 2;
  let infinite = i32x4.splat(0);
  for (let at = row; at < row + bytes; at += 16) {
    const q = v128.load(at);
    infinite = v128.or(infinite, f32x4.eq(f32x4.abs(q), f32x4.splat(Infinity)));
    v128.store(at + bytes, f32x4.pmin(q, zero));
    v128.store(at, f32x4.pmax(q, zero));
  }
  return v128.any_true(infinite);
}
