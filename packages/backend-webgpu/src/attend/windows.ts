import type { Entries } from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import { commonRuns, type Run, rowsIn, runsOf } from '../ops/row-runs.js';

/** What of keys and values is bound at a time: nearly always all. */
export interface Window {
  readonly keys: Run;
  /** Of values that are the keys: the same. */
  readonly values: Run;
}

/** Keys and values that are larger than a kernel can bind are read window by window. */
export function windowsOf(gpu: Gpu, keys: Entries, values: Entries | 'keys'): Window[] {
  const keyRows = rowsIn(gpu, keys.storage);
  if (values === 'keys') return runsOf(gpu, keyRows).map((run) => ({ keys: run, values: run }));
  const valueRows = rowsIn(gpu, values.storage);
  if (haveSamePages(keys, values)) {
    return commonRuns(gpu, keyRows, valueRows).map(([key, value]) => ({
      keys: key,
      values: value,
    }));
  }
  return runsOf(gpu, keyRows).flatMap((key) =>
    runsOf(gpu, valueRows).map((value) => ({ keys: key, values: value })),
  );
}

/** Whether the value of an entry is the row of its storage that the entry's key is of its own. */
export function haveSamePages(keys: Entries, values: Entries | 'keys'): boolean {
  if (values === 'keys') return true;
  return (
    keys.pageSize === values.pageSize &&
    keys.storage.shape.slice(0, 3).join() === values.storage.shape.slice(0, 3).join() &&
    keys.tables.every((table, row) => isSameList(table, values.tables[row]))
  );
}

const isSameList = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((page, i) => page === b[i]));

/**
 * For each batch row and kv head, `[from, to)` of the entries whose keys are in a run: there may be others between
 * them, and the kernel looks, but it need not walk what is outside.
 */
export function hullsIn({ first, rows }: Run, entries: Entries): number[] {
  const { pageSize, tables, lengths, storage } = entries;
  const heads = storage.shape[1];
  return tables.flatMap((table, row) =>
    Array.from({ length: heads }, (_, head) => head).flatMap((head) => {
      let [from, to] = [lengths[row], 0];
      const isWhole = first === 0 && rows === storage.shape[0] * heads * pageSize;
      if (isWhole) return [0, lengths[row]];
      table.forEach((page, i) => {
        const start = (page * heads + head) * pageSize;
        const [low, high] = [Math.max(start, first), Math.min(start + pageSize, first + rows)];
        if (low >= high) return;
        from = Math.min(from, i * pageSize + low - start);
        to = Math.max(to, i * pageSize + high - start);
      });
      return [from, Math.min(to, lengths[row])];
    }),
  );
}
