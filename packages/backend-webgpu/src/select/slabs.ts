import { type Box, boxesOf } from './boxes.js';
import type { Lists } from './lists.js';
import type { Fields } from './spec.js';

/** Raw scores that are held at a time: 32 MiB. */
const MOST_SCORES = 8 << 20;

/** As many rows as are scored before they are picked from: lists, or of one list a part. */
export interface Slab {
  /** What the kernels are told of it. */
  readonly fields: Fields;
  readonly rows: number;
  /** Slots of ranks: rows where each picks for itself, otherwise lists. */
  readonly slots: number;
  readonly lists: number;
  /** Rows that read the same keys. */
  readonly segments: number;
  readonly segmentRows: number;
  /** Whether it is the first of its lists, and the last. */
  readonly begins: boolean;
  readonly ends: boolean;
}

/** @param width scores that a row takes */
export function slabsOf(lists: Lists, width: number): Slab[] {
  const { batch, heads, queryBlocks, kvHeads, cells, headRun } = lists;
  const grid = [batch * heads, queryBlocks, kvHeads, cells * headRun];
  return boxesOf(grid, Math.floor(MOST_SCORES / width)).map((box) => slabOf(lists, grid, box));
}

function slabOf({ reduce }: Lists, grid: readonly number[], box: Box): Slab {
  const [pairs, blocks, kvs, rows] = box;
  const listRows = kvs.count * rows.count;
  const total = pairs.count * blocks.count * listRows;
  // Query blocks of one kv head follow each other.
  const segmentBlocks = grid[2] === 1 ? 1 : blocks.count;
  const segments = pairs.count * segmentBlocks * kvs.count;
  const begins = kvs.first === 0 && rows.first === 0;
  const union = reduce === 'union';
  return {
    fields: {
      ...{ PAIR: pairs.first, BLOCK: blocks.first, KV: kvs.first, ROW: rows.first },
      ...{ BLOCKS: blocks.count, KVS: kvs.count, ROWS: rows.count },
      ...{ SEGMENTS: segments, SEGMENT_ROWS: total / segments, SEGMENT_BLOCKS: segmentBlocks },
      ...{ SLOT_KVS: union ? 1 : kvs.count, SLOT_ROWS: union ? 1 : rows.count },
      RESUMES: begins || union ? 0 : 1,
    },
    rows: total,
    slots: union ? total : total / listRows,
    lists: pairs.count * blocks.count,
    segments,
    segmentRows: total / segments,
    begins,
    ends: kvs.first + kvs.count === grid[2] && rows.first + rows.count === grid[3],
  };
}
