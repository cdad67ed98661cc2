import { nextTask, pointer, word } from '../layout';
import { findCandidates, sameCandidates } from './candidates';
import { clearJoined, clearUnits, foldRow, maskUnseen, poolUnits, scatterRow } from './fold';
import { areKept, keepChunk, recallChunk } from './kept';
import { gatherKeys } from './keys';
import { packRows, scoreChunk } from './logits';
import {
  addStatistics,
  clearStatistics,
  joinStatistics,
  storeStatistics,
  toProbabilities,
} from './probabilities';
import {
  addRows,
  batchRowOf,
  clearRows,
  endQuery,
  firstHeadOf,
  firstQuery,
  kvHeadOf,
  recordAt,
  ROW_SEEN,
  ROW_SLOT,
  ROW_UNITS,
  unitsOfList,
} from './rows';
import {
  CHUNK,
  FIRST_LIST,
  HEAD_RUN,
  LIST_GROUP,
  POOL_LENGTH,
  POOL_OFFSET,
  POOL_STRIDE,
  POOL_WEIGHTS,
  POOLED,
  PROBABILITIES,
  REDUCE,
  SCORES,
  SLICES,
  SLOT_UNITS,
  SLOTS_PER_LIST,
  SPEC,
  STRIP,
  TILES,
  UNION,
  WITHIN,
} from './spec';
import { filledEntries, seesAny, takeStrip, unitsBelow, unitsOfStrip } from './strip';
import {
  BATCH_ROW,
  CANDIDATES,
  FIRST_UNIT,
  JOINED,
  KV_HEAD,
  LENGTH,
  LOGITS,
  MOST_SEEN,
  MOST_UNITS,
  OFFSET,
  POOLED_SCORES,
  region,
  ROWS,
  setWord,
  STRIDE,
  STRIP_UNITS,
  UNITS,
} from './work';

/**
 * Scores units: a task is a slice of the units of a tile, which is a few lists whose rows read the same keys. A strip
 * of keys at a time meets all rows of the tile; what comes of it is folded into the slots, and no more is kept.
 */

/** For probabilities: the statistics of all rows, gathered a slice at a time. */
export function selectStatistics(wave: usize, scratch: usize): void {
  visitTiles(wave, scratch, true);
}

/** The scores of all slots. */
export function selectScores(wave: usize, scratch: usize): void {
  visitTiles(wave, scratch, false);
}

function visitTiles(wave: usize, work: usize, statistics: bool): void {
  const slices = word(wave, SLICES);
  for (let task = nextTask(wave); task >= 0; task = nextTask(wave)) {
    const tile = pointer(wave, TILES) + ((task / slices) << 3);
    const slice = task % slices;
    if (!statistics) clearSlots(wave, word(tile, 0), word(tile, 1), slice);
    visitTile(wave, work, word(tile, 0), word(tile, 1), slice, statistics);
  }
}

/** The first of `total` units (or entries) of a slice. */
function sliceStart(total: i32, slice: i32, slices: i32): i32 {
  const size = (total + slices - 1) / slices;
  return min(total, slice * ((size + 63) & ~63));
}

/** Makes room for the scores of a slice. */
function clearSlots(wave: usize, list: i32, lists: i32, slice: i32): void {
  const spec = pointer(wave, SPEC);
  const units = word(wave, SLOT_UNITS);
  const slices = word(wave, SLICES);
  const slots = word(wave, SLOTS_PER_LIST);
  for (let i = list; i < list + lists; i++) {
    const most = (unitsOfList(spec, i) + 3) & ~3;
    const from = min(most, sliceStart(units, slice, slices));
    const to = min(most, sliceStart(units, slice + 1, slices));
    for (let slot = (i - word(wave, FIRST_LIST)) * slots, end = slot + slots; slot < end; slot++) {
      const scores = pointer(wave, SCORES) + ((slot * units) << 2);
      clearUnits(spec, scores + (from << 2), to - from);
    }
  }
}

function visitTile(
  wave: usize,
  work: usize,
  list: i32,
  lists: i32,
  slice: i32,
  statistics: bool,
): void {
  const spec = pointer(wave, SPEC);
  const first = firstHeadOf(spec, list);
  setWord(work, BATCH_ROW, batchRowOf(spec, list));
  for (let head = first; head < first + word(spec, LIST_GROUP); head += word(spec, HEAD_RUN)) {
    setWord(work, KV_HEAD, kvHeadOf(spec, head));
    if (pointer(spec, WITHIN) === 0) visitAll(wave, work, list, lists, head, slice, statistics);
    else visitWithin(wave, work, list, head, slice, statistics);
  }
}

/** Every unit is a candidate. */
function visitAll(
  wave: usize,
  work: usize,
  list: i32,
  lists: i32,
  head: i32,
  slice: i32,
  statistics: bool,
): void {
  clearRows(pointer(wave, SPEC), work);
  for (let i = list; i < list + lists; i++) addRows(wave, work, i, head, 0, i32.MAX_VALUE);
  visitRun(wave, work, slice, statistics);
}

/** The queries of one list, those that have the same candidates at a time. */
function visitWithin(
  wave: usize,
  work: usize,
  list: i32,
  head: i32,
  slice: i32,
  statistics: bool,
): void {
  const spec = pointer(wave, SPEC);
  const end = endQuery(spec, list);
  for (let token = firstQuery(spec, list); token < end;) {
    const next = sameCandidates(spec, token, end);
    clearRows(spec, work);
    addRows(wave, work, list, head, token, next);
    // Pooled probabilities are over all entries, candidates or not.
    if (statistics && word(spec, POOLED)) visitRun(wave, work, slice, statistics);
    else if (word(work, ROWS) > 0) {
      const from = sliceStart(word(wave, SLOT_UNITS), slice, word(wave, SLICES));
      const to = sliceStart(word(wave, SLOT_UNITS), slice + 1, word(wave, SLICES));
      findCandidates(wave, work, head, token, from, to);
      visitRows(wave, work, 0, word(work, CANDIDATES), slice, statistics);
    }
    token = next;
  }
}

/** The rows at hand against a slice of all units; of statistics, of all entries. */
function visitRun(wave: usize, work: usize, slice: i32, statistics: bool): void {
  setWord(work, CANDIDATES, -1);
  const most = word(work, statistics ? MOST_SEEN : MOST_UNITS);
  const total = statistics ? most : word(wave, SLOT_UNITS);
  const from = sliceStart(total, slice, word(wave, SLICES));
  const to = sliceStart(total, slice + 1, word(wave, SLICES));
  visitRows(wave, work, from, min(to, most), slice, statistics);
}

/** The rows at hand against units (or candidates, or for statistics entries) `[from, to)`. */
function visitRows(
  wave: usize,
  work: usize,
  from: i32,
  to: i32,
  slice: i32,
  statistics: bool,
): void {
  const spec = pointer(wave, SPEC);
  setWord(work, STRIDE, statistics ? 1 : word(spec, POOL_STRIDE));
  setWord(work, OFFSET, statistics ? 0 : word(spec, POOL_OFFSET));
  setWord(work, LENGTH, statistics ? 1 : word(spec, POOL_LENGTH));
  const probabilities = word(spec, PROBABILITIES) !== 0;
  for (let i = 0; i < word(work, ROWS); i++) {
    if (statistics) clearStatistics(recordAt(spec, work, i));
    else if (probabilities) joinStatistics(recordAt(spec, work, i), word(wave, SLICES));
  }
  if (statistics || !areKept(spec, work)) packRows(spec, work);
  const step = unitsOfStrip(spec, work);
  for (let unit = from; unit < to; unit += step) {
    takeStrip(spec, work, unit, min(step, to - unit));
    visitStrip(spec, work, statistics);
  }
  if (!statistics) return;
  for (let i = 0; i < word(work, ROWS); i++) storeStatistics(recordAt(spec, work, i), slice);
}

/** The rows at hand against the strip at hand, a chunk of rows at a time. */
function visitStrip(spec: usize, work: usize, statistics: bool): void {
  const rows = word(work, ROWS);
  const chunk = word(spec, CHUNK);
  const listed = word(work, CANDIDATES) >= 0;
  const exists = seesAny(spec, work, word(work, MOST_SEEN));
  const kept = areKept(spec, work);
  const scores = exists && (statistics || !kept);
  if (scores) gatherKeys(spec, work);
  if (listed) clearJoined(spec, region(spec, work, JOINED), word(work, STRIP_UNITS));
  for (let first = 0; first < rows; first += chunk) {
    const count = min(chunk, rows - first);
    if (!reaches(spec, work, first, count, statistics)) continue;
    if (scores) scoreChunk(spec, work, first, count, filledEntries(work));
    if (kept && statistics) keepChunk(spec, work, first, count);
    else if (kept) recallChunk(spec, work, first, count);
    for (let r = 0; r < count; r++) {
      const record = recordAt(spec, work, first + r);
      const row = region(spec, work, LOGITS) + ((r * word(spec, STRIP)) << 2);
      if (statistics) countRow(spec, work, record, row);
      else finishRow(spec, work, record, row);
    }
  }
  if (listed && !statistics && word(spec, REDUCE) !== UNION) scatterStrip(spec, work);
}

/** Whether any of these rows sees any of the strip. */
function reaches(spec: usize, work: usize, first: i32, count: i32, statistics: bool): bool {
  for (let i = first; i < first + count; i++) {
    const record = recordAt(spec, work, i);
    const sees = statistics
      ? seesAny(spec, work, word(record, ROW_SEEN))
      : unitsBelow(spec, work, word(record, ROW_UNITS)) > 0;
    if (sees) return true;
  }
  return false;
}

function countRow(spec: usize, work: usize, record: usize, row: usize): void {
  maskUnseen(spec, work, row, word(record, ROW_SEEN), -Infinity);
  addStatistics(record, row, filledEntries(work));
}

/** From the logits of a row to its slot, or with candidates to the scores that all rows of the strip join. */
function finishRow(spec: usize, work: usize, record: usize, row: usize): void {
  if (word(spec, PROBABILITIES)) toProbabilities(record, row, filledEntries(work));
  const nothing: f32 = pointer(spec, POOL_WEIGHTS) === 0 ? -Infinity : 0;
  maskUnseen(spec, work, row, word(record, ROW_SEEN), nothing);
  if (word(spec, POOLED)) {
    poolUnits(spec, work, row, region(spec, work, POOLED_SCORES));
    row = region(spec, work, POOLED_SCORES);
  }
  const slot = pointer(record, ROW_SLOT);
  const unit = word(work, FIRST_UNIT);
  const units = unitsBelow(spec, work, word(record, ROW_UNITS));
  const reduce = word(spec, REDUCE);
  if (word(work, CANDIDATES) < 0) foldRow(row, units, slot + (unit << 2), reduce);
  else if (reduce === UNION) {
    scatterRow(row, units, region(spec, work, UNITS) + (unit << 2), slot, reduce);
  } else foldRow(row, units, region(spec, work, JOINED), reduce);
}

function scatterStrip(spec: usize, work: usize): void {
  const slot = pointer(recordAt(spec, work, 0), ROW_SLOT);
  const units = region(spec, work, UNITS) + (word(work, FIRST_UNIT) << 2);
  const joined = region(spec, work, JOINED);
  scatterRow(joined, word(work, STRIP_UNITS), units, slot, word(spec, REDUCE));
}
