import {
  assertEntryHeld,
  type AttendRequest,
  type Interval,
  intervalsAt,
  visibleAt,
} from '@jit-attention/core';

import type { Parts } from './lists.js';

/**
 * Looks for entries that every query of the call is to read, or an interval says, and whose page was freed. What lists
 * name is known to the device alone; it leaves such entries out.
 *
 * @throws {CacheError} `ENTRY_FREED`
 */
export function assertHeld({ keys, visible, positions }: AttendRequest, parts: Parts): void {
  const intervals: readonly Interval[] = parts.all ? [[0, Infinity]] : parts.intervals;
  const { pageSize, lengths } = keys;
  keys.tables.forEach((table, row) => {
    if (positions.counts[row] === 0 || !table.includes(-1)) return;
    for (let token = 0; token < positions.counts[row]; token++) {
      const position = positions.first[row] + token;
      const seen = visibleAt(visible, position, lengths[row]);
      for (const [start, end] of intervalsAt(intervals, position, seen)) {
        for (let n = start; n < end; n = pageSize * (Math.floor(n / pageSize) + 1)) {
          assertEntryHeld(table, pageSize, n);
        }
      }
    }
  });
}
