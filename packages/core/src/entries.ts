import { CacheError } from './errors.js';
import type { Tensor } from './tensor.js';

/**
 * Rows that queries can read: keys, values, indexer keys, compressed entries. `[batch, heads, entries, width]`
 * in pages: entry `n` of row `b` lies in page `tables[b][floor(n / pageSize)]` of `storage`.
 *
 * A contiguous tensor is the special case of one page a batch row ({@link entriesOf}), so a backend reads one
 * layout only. Pages in ascending order are contiguous memory.
 */
export interface Entries {
  /** `[pages, heads, pageSize, width]` */
  readonly storage: Tensor;
  /** Entries a page of `storage`; not necessarily the page that strategies select by. */
  readonly pageSize: number;
  /** Per batch row, the page in `storage` of each of its pages; -1: freed. */
  readonly tables: readonly (readonly number[])[];
  /** Per batch row, the number of entries. */
  readonly lengths: readonly number[];
}

/** A contiguous `[batch, heads, entries, width]` tensor as entries; `lengths` cuts rows that are padded. */
export function entriesOf(tensor: Tensor, lengths?: readonly number[]): Entries {
  const [batch, , count] = tensor.shape as [number, number, number, number];
  return {
    storage: tensor,
    pageSize: Math.max(1, count),
    tables: Array.from({ length: batch }, (_, row) => [row]),
    lengths: lengths ?? new Array<number>(batch).fill(count),
  };
}

/** The same entries seen by other batch rows: row `i` of the result is row `rows[i]`. */
export function pickRows(entries: Entries, rows: readonly number[]): Entries {
  return {
    storage: entries.storage,
    pageSize: entries.pageSize,
    tables: rows.map((row) => entries.tables[row]),
    lengths: rows.map((row) => entries.lengths[row]),
  };
}

export const headsOf = (entries: Entries): number => entries.storage.shape[1];
export const widthOf = (entries: Entries): number => entries.storage.shape[3];

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
