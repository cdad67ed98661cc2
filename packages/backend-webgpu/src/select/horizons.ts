import { type Bound, scoredEntries, type SelectRequest, visibleAt } from '@jit-attention/core';

import type { Lists } from './lists.js';

/** How far queries see. */
export interface Horizons {
  /**
   * For each cell of queries of each batch row, `[units, entries]`: units that its last query may pick, scored entries
   * that it sees. Where all of a cell is padding: no units.
   */
  readonly cells: readonly number[];
  /** For each query block of each batch row, the most units that any of its queries may pick. */
  readonly blocks: readonly number[];
  /** For each batch row, the most scored entries that any of its queries sees. */
  readonly rows: readonly number[];
  /** The most units and entries of all. */
  readonly units: number;
  readonly entries: number;
}

export function horizonsOf(request: SelectRequest, lists: Lists): Horizons {
  const [cells, blocks]: [number[], number[]] = [[], []];
  const rows = request.positions.first.map((_, row) => {
    // Entries never fall from one cell to the next, padding included: kernels look at the last one of a few.
    let seen = 0;
    for (let block = 0; block < lists.queryBlocks; block++) {
      let most = 0;
      for (const token of lastQueries(request, lists, row, block)) {
        const units = token < 0 ? 0 : unitsAt(request, row, token);
        if (token >= 0) seen = entriesAt(request, row, token, units);
        cells.push(units, seen);
        most = Math.max(most, units);
      }
      blocks.push(most);
    }
    return seen;
  });
  return { cells, blocks, rows, units: Math.max(0, ...blocks), entries: Math.max(0, ...rows) };
}

/** Of each cell of a query block the query that sees furthest; -1 where all are padding. */
function lastQueries(
  { positions }: SelectRequest,
  { queryBlock, cell, cells }: Lists,
  row: number,
  block: number,
): number[] {
  const start = block * queryBlock;
  const end = Math.min(start + queryBlock, positions.counts[row]);
  return Array.from({ length: cells }, (_, i) => {
    const token = start + i * cell;
    return token < end ? Math.min(end, token + cell) - 1 : -1;
  });
}

function unitsAt(request: SelectRequest, row: number, token: number): number {
  const { positions, visible, over, block = 1 } = request;
  return Math.ceil(visibleAt(visible, positions.first[row] + token, over.lengths[row]) / block);
}

function entriesAt(request: SelectRequest, row: number, token: number, units: number): number {
  const { score, positions } = request;
  const length = scoredEntries(score).lengths[row];
  if (score.kind === 'bounds') return Math.min(units, length);
  const seen = visibleAt(seenBound(request), positions.first[row] + token, length);
  return score.kind === 'antidiagonal' ? Math.ceil(seen / score.stride) : seen;
}

/** Which scored entries a query sees, where these are not blocks of the selected set. */
function seenBound({ score, visible }: SelectRequest): Bound | undefined {
  return (score.kind === 'softmax' ? score.visible : undefined) ?? visible;
}
