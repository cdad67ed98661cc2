import type { Lists } from './lists.js';
import { wholeVectors } from './sizes.js';

/** Bytes of scores, a thread, that are kept before they are picked from: work enough to share out, still in a cache. */
const SCORE_BYTES = 4 * 1024 * 1024;
/** Bytes of logits, a thread, that are kept so as not to score twice. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** Rows of a tile at least, where lists have few: keys are read once for all of them. */
const TILE_ROWS = 32;
/** Units of a slice at least: below, a thread is not worth waking. */
const SLICE_UNITS = 256;

type Run = readonly [first: number, count: number];

/** As many lists as are scored before they are picked from. */
export interface Wave {
  readonly first: number;
  readonly count: number;
  /** Neighbouring lists of one batch row and head, scored together. */
  readonly tiles: readonly Run[];
  /** Shares of the units of a tile, where there are few tiles for the threads. */
  readonly slices: number;
}

/** How the lists of a selection are worked through. */
export interface Waves {
  readonly waves: readonly Wave[];
  /** Rows of each list that are scored at a time: all, or where each picks for itself as many as there is room for. */
  readonly rows: readonly Run[];
  /** f32 of a slot. */
  readonly slotUnits: number;
  /** The most lists and slots that are in use at a time, and slices of rows. */
  readonly lists: number;
  readonly slots: number;
  readonly rowSlices: number;
}

/** Lists that are scored together. With candidates of their own, each alone. */
export function tileListsOf(lists: Lists, candidates: boolean): number {
  const rows = (lists.rows / lists.group) * lists.headRun;
  return candidates ? 1 : Math.min(lists.queryBlocks, Math.ceil(TILE_ROWS / rows));
}

/** @param keptEntries logits of a row that are kept, 0 for none */
export function wavesOf(
  lists: Lists,
  tileLists: number,
  keptEntries: number,
  threads: number,
): Waves {
  const slotUnits = wholeVectors(lists.units);
  const scored = Math.max(1, Math.floor((SCORE_BYTES * threads) / (4 * slotUnits)));
  const kept = keptEntries > 0 ? listsToKeep(lists, keptEntries, threads) : scored;
  const room = Math.min(scored, kept);
  const union = lists.reduce === 'union';
  const rows = union ? Math.min(lists.rows, room) : lists.rows;
  const slotsPerList = union ? rows : 1;
  const total = lists.batch * lists.heads * lists.queryBlocks;
  const waves = runs(0, total, Math.max(1, Math.floor(room / slotsPerList))).map(([first, count]) =>
    waveOf(lists, first, count, tileLists, threads),
  );
  const most = Math.max(...waves.map(({ count }) => count));
  return {
    waves,
    rows: runs(0, lists.rows, rows),
    slotUnits,
    lists: most,
    slots: most * slotsPerList,
    rowSlices: rows * Math.max(...waves.map(({ count, slices }) => count * slices)),
  };
}

/** Lists whose logits there is room for; may be none. */
export function listsToKeep(lists: Lists, entries: number, threads: number): number {
  return Math.floor((KEPT_BYTES * threads) / (4 * entries * lists.rows));
}

function waveOf(
  lists: Lists,
  first: number,
  count: number,
  tileLists: number,
  threads: number,
): Wave {
  const tiles: Run[] = [];
  for (let list = first; list < first + count;) {
    const head = list - (list % lists.queryBlocks);
    const end = Math.min(first + count, head + lists.queryBlocks);
    tiles.push(...runs(list, end, tileLists));
    list = end;
  }
  // The last queries see most when causal: first come the long tasks.
  return { first, count, tiles: tiles.reverse(), slices: slicesOf(tiles.length, lists, threads) };
}

function slicesOf(tiles: number, { units }: Lists, threads: number): number {
  if (threads === 1 || tiles >= 2 * threads) return 1;
  return Math.max(1, Math.min(Math.ceil((4 * threads) / tiles), Math.floor(units / SLICE_UNITS)));
}

/** `[from, to)` in runs of `length`. */
function runs(from: number, to: number, length: number): Run[] {
  const cut: Run[] = [];
  for (let at = from; at < to; at += length) cut.push([at, Math.min(length, to - at)]);
  return cut;
}
