import type { Bound, Positions, Selection } from '@jit-attention/core';

/** Which entries each query reads, 1 or 0, `[batch, kvHeads, tokens, entries]`. */
export interface Mask {
  readonly shape: readonly [batch: number, kvHeads: number, tokens: number, entries: number];
  readonly data: Uint8Array;
}

export interface MaskSpec {
  readonly positions: Positions;
  readonly kvHeads: number;
  /** Entries of each batch row. */
  readonly lengths: readonly number[];
  readonly visible: Bound | undefined;
}

/**
 * The boolean mask that a selection stands for, asked entry by entry: slow, short, and of no code that a backend
 * or core uses to read a selection.
 */
export async function maskOf(selection: Selection, spec: MaskSpec): Promise<Mask> {
  const { positions, kvHeads, lengths, visible } = spec;
  const isIn = await membership(selection);
  const shape = [lengths.length, kvHeads, positions.tokens, Math.max(...lengths)] as const;
  const [batch, , tokens, entries] = shape;
  const data = new Uint8Array(batch * kvHeads * tokens * entries);
  let at = 0;
  for (let row = 0; row < batch; row++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      for (let token = 0; token < tokens; token++) {
        const position = positions.first[row] + token;
        const end = Math.min(
          lengths[row],
          visible === undefined ? Infinity : boundAt(visible, position),
        );
        const isQuery = token < positions.counts[row];
        for (let entry = 0; entry < entries; entry++, at++)
          if (isQuery && entry < end && isIn({ row, kvHead, token, position, entry })) data[at] = 1;
      }
    }
  }
  return { shape, data };
}

interface Place {
  readonly row: number;
  readonly kvHead: number;
  readonly token: number;
  readonly position: number;
  readonly entry: number;
}

async function membership(selection: Selection): Promise<(place: Place) => boolean> {
  switch (selection.kind) {
    case 'all':
      return () => true;
    case 'ranges':
      return ({ position, entry }) =>
        selection.ranges.some(
          ([start, end]) => boundAt(start, position) <= entry && entry < boundAt(end, position),
        );
    case 'united': {
      const parts = await Promise.all(selection.of.map(membership));
      return (place) => parts.some((isIn) => isIn(place));
    }
    default: {
      const lists = await listsOf(selection);
      const size = selection.kind === 'blocks' ? selection.blockSize : 1;
      return (place) => lists(place).has(Math.floor(place.entry / size));
    }
  }
}

async function listsOf(
  selection: Extract<Selection, { kind: 'blocks' | 'tokens' }>,
): Promise<(place: Place) => Set<number>> {
  const [, heads, blocks, capacity] = selection.ids.shape;
  const [ids, counts] = await Promise.all([selection.ids.data(), selection.counts.data()]);
  const lists = Array.from(
    counts,
    (count, i) => new Set(ids.subarray(i * capacity, i * capacity + count)),
  );
  return ({ row, kvHead, token }) => {
    const head = heads === 1 ? 0 : kvHead;
    return lists[(row * heads + head) * blocks + Math.floor(token / selection.queryBlock)];
  };
}

/** A bound at a position. */
export function boundAt(bound: Bound, position: number): number {
  return typeof bound === 'number' ? bound : Math.floor((position + bound.offset) / bound.stride);
}
