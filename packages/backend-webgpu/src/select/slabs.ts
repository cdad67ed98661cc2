import type { Gpu } from '../gpu.js';
import { type Box, boxesOf } from './boxes.js';
import type { Lists } from './lists.js';
import type { Fields } from './spec.js';

/** Raw scores that are held at a time: 32 MiB. */
const MOST_SCORES = 8 << 20;

/** As many rows as are scored before they are picked from: lists, or of one list a part. */
export interface Slab {
  /** Of pairs of a batch row and a list head, query blocks, kv heads of a list, rows of these. */
  readonly box: Box;
  readonly rows: number;
  /** Slots of ranks: rows where each picks for itself, otherwise lists. */
  readonly slots: number;
  readonly lists: number;
  /** Runs of rows that read the same keys, and the rows of each. */
  readonly segments: number;
  readonly segmentRows: number;
  /** Whether it is the first of its lists, and the last. */
  readonly begins: boolean;
  readonly ends: boolean;
  /** What the kernels are told of it. */
  readonly fields: Fields;
}

/** Bytes that the table has of a row. */
const ROW_BYTES = 32;

/** @param width scores that a row takes */
export function slabsOf({ limits }: Gpu, lists: Lists, width: number): Slab[] {
  const { batch, heads, queryBlocks, kvHeads, cells, headRun } = lists;
  const grid = [batch * heads, queryBlocks, kvHeads, cells * headRun];
  const most = limits.maxStorageBufferBindingSize;
  const scores = Math.min(MOST_SCORES, most / 4);
  const room = Math.max(1, Math.floor(Math.min(scores / width, most / ROW_BYTES)));
  return boxesOf(grid, room).map((box) => slabOf(lists, grid, box));
}

function slabOf({ reduce }: Lists, grid: readonly number[], box: Box): Slab {
  const [pairs, blocks, kvs, rows] = box;
  const lists = pairs.count * blocks.count;
  const listRows = kvs.count * rows.count;
  // Query blocks that read one kv head alone follow each other.
  const segments = pairs.count * (grid[2] === 1 ? 1 : blocks.count * kvs.count);
  const segmentRows = (lists * listRows) / segments;
  const slotRows = reduce === 'union' ? 1 : listRows;
  const begins = kvs.first === 0 && rows.first === 0;
  return {
    ...{ box, lists, segments, segmentRows, begins },
    rows: lists * listRows,
    slots: (lists * listRows) / slotRows,
    ends: kvs.first + kvs.count === grid[2] && rows.first + rows.count === grid[3],
    fields: {
      SEGMENTS: segments,
      SEGMENT_ROWS: segmentRows,
      LIST_ROWS: listRows,
      SLOT_ROWS: slotRows,
      RESUMES: begins || reduce === 'union' ? 0 : 1,
    },
  };
}
