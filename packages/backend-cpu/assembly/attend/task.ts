import { resetState } from '../lanes/softmax';
import { entriesLength, firstPosition, nextTask, pointer, visibleAt, word } from '../layout';
import { countEntries, spansOf } from '../spans';
import { nextTile, startCursor, TILE } from '../tiles';
import { clearCounts, countReads } from './counts';
import {
  BLOCKS,
  KEYS,
  kvHeadsOf,
  POSITIONS,
  rowsOf,
  SELECTION,
  SPLITS,
  VISIBLE,
} from './descriptor';
import {
  CURSOR,
  descOf,
  GATHERED,
  gatheredBytes,
  IDS,
  kvHeadOf,
  layOut,
  liveRows,
  rowOf,
  SPANS,
  STATE,
  takeBlock,
  tokenOf,
  validOf,
} from './frame';
import { storePartial, writeRows } from './output';
import { packQueries } from './queries';
import { writeIntervals } from './sight';
import { attendTile, gatherTile } from './tile';

/** Bytes of scratch that a thread needs. */
export function attendScratch(desc: usize): usize {
  return layOut(0, desc);
}

/**
 * Attention over one branch: tiled online softmax. A task is a block of queries of one batch row and kv head, with
 * all query heads that share the head, against a share (split) of the entries that they select.
 */
export function attend(desc: usize, frame: usize): void {
  layOut(frame, desc);
  const splits = word(desc, SPLITS);
  const blocks = word(desc, BLOCKS);
  const kvHeads = kvHeadsOf(desc);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    // Blocks of one kv head follow one another, so that the keys of as few as can be are in use at a time. The last
    // queries see most when causal: first come the long tasks.
    const lane = task / splits / blocks;
    const block = blocks - 1 - ((task / splits) % blocks);
    attendBlock(frame, lane / kvHeads, lane % kvHeads, block, task % splits);
  }
}

function attendBlock(frame: usize, row: i32, kvHead: i32, block: i32, split: i32): void {
  const desc = descOf(frame);
  takeBlock(frame, row, kvHead, block);
  memory.fill(pointer(frame, GATHERED), 0, gatheredBytes(desc));
  resetState(pointer(frame, STATE), rowsOf(desc));
  if (split === 0) clearCounts(frame);
  if (liveRows(frame) > 0) {
    const spans = selectSpans(frame);
    if (split === 0) countReads(frame, spans);
    packQueries(frame);
    writeIntervals(frame);
    attendSpans(frame, countEntries(pointer(frame, SPANS), spans), split);
  }
  if (word(desc, SPLITS) === 1) {
    writeRows(frame, pointer(frame, GATHERED), pointer(frame, STATE));
  } else {
    storePartial(frame, block, split);
  }
}

/** What the queries of the task select together; returns the number of spans. */
function selectSpans(frame: usize): i32 {
  const desc = descOf(frame);
  const row = rowOf(frame);
  const token = tokenOf(frame);
  const valid = validOf(frame);
  const position = firstPosition(pointer(desc, POSITIONS), row) + token;
  const length = entriesLength(pointer(desc, KEYS), row);
  const visible = visibleAt(pointer(desc, VISIBLE), position + valid - token - 1, length);
  const selection = pointer(desc, SELECTION);
  const spans = pointer(frame, SPANS);
  return spansOf(selection, row, kvHeadOf(frame), token, valid, position, visible, spans);
}

/** The tiles that belong to this split. */
function attendSpans(frame: usize, entries: i32, split: i32): void {
  const splits = word(descOf(frame), SPLITS);
  const tiles = (entries + TILE - 1) / TILE;
  const first = ((tiles * split) / splits) * TILE;
  const last = min(entries, ((tiles * (split + 1)) / splits) * TILE);
  const cursor = pointer(frame, CURSOR);
  const spans = pointer(frame, SPANS);
  const ids = pointer(frame, IDS);
  startCursor(cursor, spans, first, last - first);
  for (let count = nextTile(cursor, spans, ids); count > 0; count = nextTile(cursor, spans, ids)) {
    gatherTile(frame, count);
    attendTile(frame, count);
  }
}
