import type { Backend, DType, Entries } from '@jit-attention/core';

import { type HostArray, sizeOf } from './array.js';
import { shuffled, uniform } from './random.js';

/** What entries hold, `[batch, heads, longest, width]`; NaN where there is nothing. */
export async function readEntries(entries: Entries): Promise<HostArray> {
  const { storage, pageSize, tables, lengths } = entries;
  const stored = await storage.data();
  const [, heads, slots, width] = storage.shape;
  const shape = [lengths.length, heads, Math.max(...lengths), width];
  const data = new Float32Array(sizeOf(shape)).fill(NaN);
  lengths.forEach((length, row) => {
    for (let head = 0; head < heads; head++) {
      for (let n = 0; n < length; n++) {
        const page = tables[row][Math.floor(n / pageSize)];
        if (page < 0) continue;
        const from = ((page * heads + head) * slots + (n % pageSize)) * width;
        const to = ((row * heads + head) * shape[2] + n) * width;
        data.set(stored.subarray(from, from + width), to);
      }
    }
  });
  return { shape, data };
}
