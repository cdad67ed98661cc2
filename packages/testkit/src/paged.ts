import type { Entries } from '@jit-attention/core';

import { type HostArray, sizeOf } from './array.js';
import { shuffled } from './random.js';

/** Entries on the host; see core's `Entries`. */
export interface HostEntries {
  /** `[pages, heads, pageSize, width]` */
  readonly storage: HostArray;
  readonly pageSize: number;
  readonly tables: readonly (readonly number[])[];
  readonly lengths: readonly number[];
}

/**
 * Lays rows `[batch, heads, entries, width]` out in pages, in random order and with pages to spare. Slots without
 * an entry hold `filler`, which nobody may read.
 */
export function layOut(
  { shape, data }: HostArray,
  lengths: readonly number[],
  { pageSize, next, filler = NaN }: { pageSize: number; next: () => number; filler?: number },
): HostEntries {
  const [, heads, entries, width] = shape;
  const counts = lengths.map((length) => Math.ceil(length / pageSize));
  const pages = counts.reduce((sum, count) => sum + count, 1);
  const order = shuffled(pages, next);
  const tables = counts.map((count) => order.splice(0, count));
  const storage = { shape: [pages, heads, pageSize, width], data: new Float32Array(0) };
  storage.data = new Float32Array(sizeOf(storage.shape)).fill(filler);
  const laid = { storage, pageSize, tables, lengths };
  lengths.forEach((length, row) => {
    for (let head = 0; head < heads; head++) {
      for (let n = 0; n < length; n++) {
        const from = ((row * heads + head) * entries + n) * width;
        storage.data.set(data.subarray(from, from + width), slotOf(laid, row, head, n));
      }
    }
  });
  return laid;
}

/** What entries hold, `[batch, heads, longest, width]`; NaN where there is nothing. */
export async function readEntries(entries: Entries): Promise<HostArray> {
  const { storage, lengths, pageSize, tables } = entries;
  const [, heads, , width] = storage.shape;
  const stored = { shape: storage.shape, data: await storage.data() };
  const laid = { storage: stored, pageSize, tables, lengths };
  const shape = [lengths.length, heads, Math.max(...lengths), width];
  const data = new Float32Array(sizeOf(shape)).fill(NaN);
  lengths.forEach((length, row) => {
    for (let head = 0; head < heads; head++) {
      for (let n = 0; n < length; n++) {
        if (tables[row][Math.floor(n / pageSize)] < 0) continue;
        const from = slotOf(laid, row, head, n);
        const to = ((row * heads + head) * shape[2] + n) * width;
        data.set(stored.data.subarray(from, from + width), to);
      }
    }
  });
  return { shape, data };
}

/** Where an entry's row starts in the storage. */
function slotOf(
  {
    storage: { shape },
    pageSize,
    tables,
  }: { storage: { shape: readonly number[] } } & Pick<HostEntries, 'pageSize' | 'tables'>,
  row: number,
  head: number,
  n: number,
): number {
  const [, heads, slots, width] = shape;
  const page = tables[row][Math.floor(n / pageSize)];
  return ((page * heads + head) * slots + (n % pageSize)) * width;
}
