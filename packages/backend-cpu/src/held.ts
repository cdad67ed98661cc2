import { CacheError } from '@jit-attention/core';

/** @throws {CacheError} `ENTRY_FREED` when the page of entry `n` was freed */
export function assertEntryHeld(table: readonly number[], pageSize: number, n: number): void {
  if (table[Math.floor(n / pageSize)] >= 0) return;
  throw new CacheError(
    `entry ${n}: expected an entry that is still held, got one whose page was freed`,
    {
      code: 'ENTRY_FREED',
      actual: n,
      hint: 'the strategy declared it dead; a plan that reads it needs a larger rollback',
    },
  );
}
