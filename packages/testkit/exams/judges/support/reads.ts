import {
  blockSizeOf,
  intervalsAt,
  type KeptPlan,
  type PlanChunk,
  type Selection,
  visibleAt,
} from '@jit-attention/core';

import { span } from './straight.js';

/** The entries that one branch of a kept plan reads, ascending, by {@link readKey}. */
export type Reads = Map<string, number[]>;

export const readKey = (branch: number, row: number, kvHead: number, position: number): string =>
  `branch ${branch}, row ${row}, kv head ${kvHead}, position ${position}`;

/** Reads a kept plan's selections back and writes them out as sets of visible entries. */
export async function readsOf(plan: KeptPlan, kvHeads: number, reads: Reads): Promise<void> {
  const branches = plan.chunks.flatMap((chunk) =>
    chunk.plan.branches.map(({ selection }, branch) => ({ chunk, branch, selection })),
  );
  // All at once: a device is waited for only once.
  const named = await Promise.all(branches.map(({ selection }) => entriesNamed(selection)));
  for (const [i, { chunk, branch }] of branches.entries()) {
    for (const { row, query, position } of queriesOf(chunk)) {
      for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
        const visible = visibleIn(chunk, branch, row, position);
        const entries = named[i]({ row, kvHead, query, position, visible });
        reads.set(readKey(branch, row, kvHead, position), entries);
      }
    }
  }
}

interface At {
  readonly row: number;
  readonly kvHead: number;
  readonly query: number;
  readonly position: number;
  readonly visible: number;
}

async function entriesNamed(selection: Selection): Promise<(at: At) => number[]> {
  switch (selection.kind) {
    case 'all':
      return ({ visible }) => span(0, visible);
    case 'ranges':
      return ({ position, visible }) =>
        intervalsAt(selection.ranges, position, visible).flatMap(([start, end]) =>
          span(start, end),
        );
    case 'united': {
      const parts = await Promise.all(selection.of.map(entriesNamed));
      return (at) => ascending(parts.flatMap((part) => part(at)));
    }
    default:
      return listed(selection);
  }
}

async function listed(
  selection: Extract<Selection, { kind: 'blocks' | 'tokens' }>,
): Promise<(at: At) => number[]> {
  const { ids, counts, queryBlock } = selection;
  const [, heads, queryBlocks, capacity] = ids.shape;
  const [idData, countData] = await Promise.all([ids.data(), counts.data()]);
  const size = blockSizeOf(selection);
  return ({ row, kvHead, query, visible }) => {
    const head = heads === 1 ? 0 : kvHead;
    const list = (row * heads + head) * queryBlocks + Math.floor(query / queryBlock);
    const own = idData.subarray(list * capacity, list * capacity + countData[list]);
    const entries = [...own].flatMap((id) => span(id * size, (id + 1) * size));
    return ascending(entries.filter((entry) => entry < visible));
  };
}

/** The cache has every visible entry of a causal step; other sets say their length and, mostly, their bound. */
function visibleIn({ plan }: PlanChunk, branch: number, row: number, position: number): number {
  const { keys, visible } = plan.branches[branch];
  const bound = visible ?? { offset: 1, stride: 1 };
  return visibleAt(bound, position, keys === 'cache' ? Infinity : keys.lengths[row]);
}

function queriesOf({ positions }: PlanChunk): { row: number; query: number; position: number }[] {
  return positions.first.flatMap((first, row) =>
    span(0, positions.counts[row]).map((query) => ({ row, query, position: first + query })),
  );
}

function ascending(entries: readonly number[]): number[] {
  return [...new Set(entries)].sort((a, b) => a - b);
}
