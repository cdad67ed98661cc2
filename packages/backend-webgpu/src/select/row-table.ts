import { headsOf, type SelectRequest } from '@jit-attention/core';

import type { Horizons } from './horizons.js';
import type { Lists } from './lists.js';
import type { Slab } from './slabs.js';

/** WGSL of what kernels know of each row of a slab, in the order of {@link rowTable}. */
export const ROW = /* wgsl */ `
struct Row {
  // Units that it may pick from, and scored entries that it sees.
  units: i32,
  entries: i32,
  // Its query, the first one of a cell, and the kv head that it reads.
  batch: i32,
  head: i32,
  token: i32,
  kv_head: i32,
  // The list that it selects for, and the one that has its candidates.
  list: i32,
  candidates: i32,
}
`;

/** Rows in the order [pair][query block][kv head][cell][head]; a pair is a batch row and a list head. */
export function rowTable(
  request: SelectRequest,
  lists: Lists,
  horizons: Horizons,
  { box: [pairs, blocks, kvs, rows], rows: total }: Slab,
): Int32Array {
  const { heads, queryBlocks, kvHeads, headRun, cell, cells } = lists;
  const candidatesOf = candidateLists(request);
  const table = new Int32Array(8 * total);
  let at = 0;
  for (let pair = pairs.first; pair < pairs.first + pairs.count; pair++) {
    const batch = Math.floor(pair / heads);
    for (let block = blocks.first; block < blocks.first + blocks.count; block++) {
      for (let kv = kvs.first; kv < kvs.first + kvs.count; kv++) {
        const kvHead = (pair % heads) * kvHeads + kv;
        for (let row = rows.first; row < rows.first + rows.count; row++) {
          const index = block * cells + Math.floor(row / headRun);
          const horizon = 2 * (batch * queryBlocks * cells + index);
          const head = kvHead * headRun + (row % headRun);
          table[at++] = horizons.cells[horizon];
          table[at++] = horizons.cells[horizon + 1];
          table[at++] = batch;
          table[at++] = head;
          table[at++] = Math.min(index * cell, request.positions.tokens - 1);
          table[at++] = kvHead;
          table[at++] = pair * queryBlocks + block;
          table[at++] = candidatesOf(batch, head, index * cell);
        }
      }
    }
  }
  return table;
}

/** Which list of `within` has the candidates of a query. */
function candidateLists({
  within,
  over,
  score,
}: SelectRequest): (batch: number, head: number, token: number) => number {
  if (!within) return () => 0;
  const [, heads, blocks] = within.ids.shape;
  const group = heads === 1 ? Infinity : score.query.shape[1] / headsOf(over);
  return (batch, head, token) =>
    (batch * heads + Math.floor(head / group)) * blocks + Math.floor(token / within.queryBlock);
}
