import {
  assertEntryHeld,
  blockSizeOf,
  type BlocksSelection,
  scoredEntries,
  type SelectRequest,
  type Span,
  type TokensSelection,
  visibleAt,
} from '@jit-attention/core';

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
function spansRead(host: Host, request: SelectRequest, row: number): Span[] {
  const { score, within, pool } = request;
  const seen = mostSeen(request, row);
  // Pooled units reach beyond themselves, and pooled probabilities are over everything.
  if (!within || pool || score.kind === 'antidiagonal') return [[0, seen]];
  const size = blockSizeOf(within) / (request.block ?? 1);
  return candidatesOf(host, within, row).map((id): Span => [
    Math.floor(id * size),
    Math.min(seen, Math.ceil((id + 1) * size)),
  ]);
}

/** All ids of the lists of a batch row. */
function candidatesOf(
  host: Host,
  { ids, counts }: BlocksSelection | TokensSelection,
  row: number,
): number[] {
  const [, heads, queryBlocks, capacity] = ids.shape;
  const lists = heads * queryBlocks;
  const count = host.memory.i32(host.pointerOf(counts), counts.size);
  const id = host.memory.i32(host.pointerOf(ids), ids.size);
  return Array.from({ length: lists }, (_, i) => row * lists + i).flatMap((list) => [
    ...id.subarray(list * capacity, list * capacity + count[list]),
  ]);
}

function mostSeen(request: SelectRequest, row: number): number {
  const { score, positions, over, visible, block = 1 } = request;
  const last = positions.first[row] + positions.counts[row] - 1;
  const length = scoredEntries(score).lengths[row];
  if (score.kind !== 'bounds') return visibleAt(seenBound(request), last, length);
  return Math.min(length, Math.ceil(visibleAt(visible, last, over.lengths[row]) / block));
}
