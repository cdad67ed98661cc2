import { assertEntryHeld, type SelectRequest } from '@jit-attention/core';

import type { Horizons } from './horizons.js';

/**
 * Looks for entries that would be scored and are held no more. Where only candidates are scored it is the device that
 * knows them: one whose page was freed is no candidate there (see candidates.ts).
 *
 * @throws {CacheError} `ENTRY_FREED`
 */
export function assertHeld(request: SelectRequest, { rows: seen }: Horizons): void {
  const { score, within, pool } = request;
  const cell = score.kind === 'antidiagonal' ? score.stride : 1;
  if (within && !pool && cell === 1) return;
  for (const { tables, pageSize, lengths } of score.kind === 'bounds'
    ? [score.min, score.max]
    : [score.keys]) {
    tables.forEach((table, row) => {
      const read = Math.min(lengths[row], seen[row] * cell);
      for (let n = 0; n < read; n += pageSize) assertEntryHeld(table, pageSize, n);
    });
  }
}
