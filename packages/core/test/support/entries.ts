import { type Entries, headsOf, widthOf } from '@jit-attention/core';

/** Contents by batch row, head, entry and channel; undefined for an entry whose page was freed. */
export async function contentsOf(entries: Entries): Promise<(number[] | undefined)[][][]> {
  const { tables, lengths, pageSize } = entries;
  const data = await entries.storage.data();
  const [heads, width] = [headsOf(entries), widthOf(entries)];
  return tables.map((table, row) =>
    Array.from({ length: heads }, (_, head) =>
      Array.from({ length: lengths[row] }, (_, entry) => {
        const page = table[Math.floor(entry / pageSize)];
        if (page < 0) return undefined;
        const start = ((page * heads + head) * pageSize + (entry % pageSize)) * width;
        return [...data.subarray(start, start + width)];
      }),
    ),
  );
}
