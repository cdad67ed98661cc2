import { evaluate, firstPosition, nextTask, pointer, visibleAt, word } from '../layout';
import { nthLargest, radixBytes, unitsToReach } from './radix';
import { EXCLUDED, FORCED, rankOf, rankScores, scoreOf } from './ranks';
import { batchRowOf, endQuery, firstQuery, unitsOfList } from './rows';
import {
  ALWAYS,
  ALWAYS_COUNT,
  BLOCK,
  CAPACITY,
  COUNTS,
  FIRST_LIST,
  IDS,
  LENGTHS,
  LIMIT,
  MARKS,
  PICK,
  POSITIONS,
  REDUCE,
  ROOM,
  SCORES,
  SLOT_UNITS,
  SLOTS_PER_LIST,
  SPEC,
  THRESHOLD,
  TOPK,
  UNION,
  VISIBLE,
} from './spec';
import { setWord } from './work';

// What a slot comes to, in the first words of a thread's scratch. Then come ids, and what radix.ts needs.
/** Units that must be picked, and that may be besides. */
const FORCED_UNITS: i32 = 0;
const OTHER_UNITS: i32 = 1;
/** An f64: the summed scores of those that must. */
const FORCED_MASS: i32 = 2;
const PICKED: usize = 16;

/** Bytes of scratch that a thread needs to pick from as many units. */
export function selectPickBytes(units: i32): usize {
  return PICKED + (units << 2) + radixBytes(units);
}

/**
 * Picks units by the scores of slots: their ids in order or, with `UNION`, a mark for each, which `selectMarked`
 * turns into ids when all rows have picked. A task is a list.
 */
export function selectPicked(wave: usize, scratch: usize): void {
  const spec = pointer(wave, SPEC);
  const slots = word(wave, SLOTS_PER_LIST);
  const bytes = word(wave, SLOT_UNITS) << 2;
  for (let task = nextTask(wave); task >= 0; task = nextTask(wave)) {
    const list = word(wave, FIRST_LIST) + task;
    for (let slot = task * slots; slot < (task + 1) * slots; slot++) {
      const picked = pickSlot(spec, list, pointer(wave, SCORES) + slot * bytes, scratch);
      if (word(spec, REDUCE) !== UNION) storeIds(spec, list, scratch + PICKED, picked);
      else mark(marksAt(wave, task), scratch + PICKED, picked);
    }
  }
}

/** The ids of marked units. */
export function selectMarked(wave: usize, scratch: usize): void {
  const spec = pointer(wave, SPEC);
  for (let task = nextTask(wave); task >= 0; task = nextTask(wave)) {
    const list = word(wave, FIRST_LIST) + task;
    const marks = marksAt(wave, task);
    const units = unitsOfList(spec, list);
    let count = 0;
    for (let unit = 0; unit < units; unit++) {
      if (load<u8>(marks + unit)) setWord(scratch + PICKED, count++, unit);
    }
    storeIds(spec, list, scratch + PICKED, count);
  }
}

function marksAt(wave: usize, task: i32): usize {
  return pointer(wave, MARKS) + task * word(wave, SLOT_UNITS);
}

function mark(marks: usize, ids: usize, count: i32): void {
  for (let i = 0; i < count; i++) store<u8>(marks + word(ids, i), 1);
}

function storeIds(spec: usize, list: i32, ids: usize, count: i32): void {
  const capacity = word(spec, CAPACITY);
  const kept = min(count, capacity);
  const out = pointer(spec, IDS) + ((list * capacity) << 2);
  memory.copy(out, ids, kept << 2);
  memory.fill(out + (kept << 2), 0, (capacity - kept) << 2);
  setWord(pointer(spec, COUNTS), list, kept);
}

/** Ids of the units picked from the scores of a slot, ascending, to PICKED; returns how many. */
function pickSlot(spec: usize, list: i32, slot: usize, scratch: usize): i32 {
  const units = unitsOfList(spec, list);
  for (let i = units; i % 4 !== 0; i++) store<f32>(slot + (i << 2), NaN);
  setWord(scratch, OTHER_UNITS, rankScores(slot, (units + 3) & ~3));
  forceUnits(spec, list, slot, scratch);
  const room = word(spec, ROOM) - word(scratch, FORCED_UNITS);
  const digits = scratch + PICKED + (units << 2);
  const others = min(room, othersWanted(spec, slot, units, scratch, digits));
  const wanted = word(scratch, FORCED_UNITS) + max(0, others);
  if (wanted === word(scratch, FORCED_UNITS) + word(scratch, OTHER_UNITS)) {
    return writeIds(slot, units, EXCLUDED + 1, units, scratch + PICKED);
  }
  if (wanted === 0) return 0;
  const limit = nthLargest(slot, units, wanted, digits);
  return writeIds(slot, units, limit, word(digits, 0), scratch + PICKED);
}

/** Marks the units that `ALWAYS` names for any query of a list; sums up what they score. */
function forceUnits(spec: usize, list: i32, ranks: usize, scratch: usize): void {
  const row = batchRowOf(spec, list);
  setWord(scratch, FORCED_UNITS, 0);
  store<f64>(scratch + (FORCED_MASS << 2), 0);
  for (let i = 0; i < word(spec, ALWAYS_COUNT); i++) {
    const interval = pointer(spec, ALWAYS) + (i << 4);
    // Bounds never fall from one query to the next, so what one has marked is behind the others.
    let marked = 0;
    for (let token = firstQuery(spec, list); token < endQuery(spec, list); token++) {
      marked = forceInterval(spec, row, token, interval, marked, ranks, scratch);
    }
  }
}

/** Marks an interval of one query from unit `marked` on; returns where it ends. */
function forceInterval(
  spec: usize,
  row: i32,
  token: i32,
  interval: usize,
  marked: i32,
  ranks: usize,
  scratch: usize,
): i32 {
  const block = word(spec, BLOCK);
  const position = firstPosition(pointer(spec, POSITIONS), row) + token;
  const visible = visibleAt(pointer(spec, VISIBLE), position, word(pointer(spec, LENGTHS), row));
  const from = max(0, evaluate(interval, position));
  const to = min(visible, evaluate(interval + 8, position));
  if (from >= to) return marked;
  const end = (to + block - 1) / block;
  for (let unit = max(marked, from / block); unit < end; unit++) force(ranks, unit, scratch);
  return max(marked, end);
}

function force(ranks: usize, unit: i32, scratch: usize): void {
  const rank = word(ranks, unit);
  if (rank === FORCED) return;
  setWord(ranks, unit, FORCED);
  setWord(scratch, FORCED_UNITS, word(scratch, FORCED_UNITS) + 1);
  if (rank === EXCLUDED) return;
  setWord(scratch, OTHER_UNITS, word(scratch, OTHER_UNITS) - 1);
  const mass = scratch + (FORCED_MASS << 2);
  store<f64>(mass, load<f64>(mass) + <f64>scoreOf(rank));
}

/** How many units the pick asks for besides the forced ones. */
function othersWanted(spec: usize, ranks: usize, units: i32, scratch: usize, digits: usize): i32 {
  const others = word(scratch, OTHER_UNITS);
  const limit = load<f64>(spec + (LIMIT << 2));
  if (word(spec, PICK) === THRESHOLD) return countFrom(ranks, units, rankOf(<f32>limit));
  if (word(spec, PICK) === TOPK || limit >= 1) return others;
  const kept = load<f64>(scratch + (FORCED_MASS << 2));
  const listed = scratch + PICKED;
  const count = listOthers(ranks, units, listed);
  return unitsToReach(listed, count, kept, limit * (kept + massOf(listed, count)), digits);
}

/** The ranks of units that may be picked and need not be: candidates are often few. */
function listOthers(ranks: usize, count: i32, out: usize): i32 {
  let listed = 0;
  for (let i = 0; i < count; i += 4) {
    const four = v128.load(ranks + (i << 2));
    const excluded = i32x4.eq(four, i32x4.splat(EXCLUDED));
    const forced = i32x4.eq(four, i32x4.splat(FORCED));
    let others = i32x4.bitmask(v128.not(v128.or(excluded, forced)));
    for (; others !== 0; others &= others - 1) setWord(out, listed++, word(ranks, i + ctz(others)));
  }
  return listed;
}

function massOf(ranks: usize, count: i32): f64 {
  let mass: f64 = 0;
  for (let i = 0; i < count; i++) mass += <f64>scoreOf(word(ranks, i));
  return mass;
}

/** Ranks from `least` on, forced ones left out. */
function countFrom(ranks: usize, count: i32, least: i32): i32 {
  let units = 0;
  for (let i = 0; i < count; i++) {
    const rank = word(ranks, i);
    units += i32(rank >= least && rank !== FORCED);
  }
  return units;
}

/** Ids of all ranks above `limit`, and of the first `equal` of those that are equal to it. */
function writeIds(ranks: usize, count: i32, limit: i32, equal: i32, ids: usize): i32 {
  const below = i32x4.splat(limit - 1);
  let written = 0;
  for (let i = 0; i < count; i += 4) {
    let found = i32x4.bitmask(i32x4.gt_s(v128.load(ranks + (i << 2)), below));
    for (; found !== 0; found &= found - 1) {
      const unit = i + ctz(found);
      if (word(ranks, unit) === limit && equal-- <= 0) continue;
      setWord(ids, written++, unit);
    }
  }
  return written;
}
