import { blockSizeOf, scoredEntries, type SelectRequest, visibleAt } from '@jit-attention/core';

import { assertEntryHeld } from '../held.js';
import type { Host } from '../host.js';
import { seenBound } from './spec.js';

/**
 * Looks for entries that would be scored and are held no more. Pages are rarely freed at all; only then do entries
 * matter, and candidates.
 *
 * @throws {CacheError} `ENTRY_FREED`
 */
export function assertHeld(host: Host, request: SelectRequest): void {
  const { score } = request;
  const scored = score.kind === 'bounds' ? [score.min, score.max] : [score.keys];
  for (const entries of scored) {
    entries.tables.forEach((table, row) => {
      if (!table.some((page) => page < 0)) return;
      for (const [start, end] of spansRead(host, request, row)) {
        for (let n = start; n < end; n++) assertEntryHeld(table, entries.pageSize, n);
      }
    });
  }
}

/** Where the scored entries of a batch row lie: up to what its last query sees, or in candidates. */
function spansRead(
  host: Host,
  request: SelectRequest,
  row: number,
): [start: number, end: number][] {
  const { score, within, pool } = request;
  const seen = mostSeen(request, row);
  // Pooled units reach beyond themselves, and pooled probabilities are over everything.
  if (!within || pool || score.kind === 'antidiagonal') return [[0, seen]];
  const size = blockSizeOf(within) / (request.block ?? 1);
  const perRow = within.ids.size / request.positions.first.length;
  const ids = host.memory.i32(host.pointerOf(within.ids), within.ids.size);
  return [...ids.subarray(row * perRow, (row + 1) * perRow)].map((id) => [
    Math.floor(id * size),
    Math.min(seen, Math.ceil((id + 1) * size)),
  ]);
}

function mostSeen(request: SelectRequest, row: number): number {
  const { score, positions, over, visible, block = 1 } = request;
  const last = positions.first[row] + positions.counts[row] - 1;
  const length = scoredEntries(score).lengths[row];
  if (score.kind !== 'bounds') return visibleAt(seenBound(request), last, length);
  return Math.min(length, Math.ceil(visibleAt(visible, last, over.lengths[row]) / block));
}
