import {
  type AllSelection,
  all,
  type Bound,
  fromQuery,
  ranges,
  type RangesSelection,
} from '@jit-attention/core';

import { shuffled } from '../random.js';

/** A selection on the host. */
export type HostSelection = AllSelection | RangesSelection | HostListed | HostUnited;

export interface HostListed {
  readonly kind: 'blocks' | 'tokens';
  readonly ids: Int32Array;
  readonly counts: Int32Array;
  /** Of the ids: `[batch, heads, queryBlocks, capacity]`. */
  readonly shape: readonly number[];
  readonly queryBlock: number;
  readonly blockSize: number;
}

export interface HostUnited {
  readonly kind: 'united';
  readonly of: readonly (RangesSelection | HostListed)[];
}

export const KINDS = ['all', 'ranges', 'blocks', 'tokens', 'united'] as const;
export type Kind = (typeof KINDS)[number];

export interface SelectionSizes {
  readonly batch: number;
  readonly kvHeads: number;
  readonly tokens: number;
  /** Of the longest batch row. */
  readonly entries: number;
}

/** A random selection: lists of any length, empty ones too, that may name entries a query does not see. */
export function selectionOf(kind: Kind, sizes: SelectionSizes, next: () => number): HostSelection {
  switch (kind) {
    case 'all':
      return all;
    case 'ranges':
      return intervals(next);
    case 'united':
      return {
        kind,
        of: [listed('blocks', sizes, next), intervals(next), listed('tokens', sizes, next)],
      };
    default:
      return listed(kind, sizes, next);
  }
}

function intervals(next: () => number): RangesSelection {
  const bound = (): Bound => {
    const offset = Math.floor(12 * next()) - 8;
    return next() < 0.5 ? fromQuery(offset, 1 + Math.floor(3 * next())) : Math.max(0, offset);
  };
  const count = Math.floor(4 * next());
  return ranges(...Array.from({ length: count }, () => [bound(), bound()] as const));
}

/** `blockSize` of blocks. Default: random, 1 to 8. */
export function listed(
  kind: 'blocks' | 'tokens',
  { batch, kvHeads, tokens, entries }: SelectionSizes,
  next: () => number,
  size?: number,
): HostListed {
  const whole = (max: number): number => 1 + Math.floor(max * next());
  const blockSize = kind === 'tokens' ? 1 : (size ?? whole(8));
  const queryBlock = whole(4);
  const units = Math.max(1, Math.ceil(entries / blockSize));
  const capacity = whole(units);
  const heads = next() < 0.3 ? 1 : kvHeads;
  const shape = [batch, heads, Math.ceil(tokens / queryBlock), capacity];
  const lists = batch * heads * shape[2];
  const counts = Int32Array.from({ length: lists }, () => Math.floor((capacity + 1) * next()));
  // Behind the ids that count is rubbish, which nobody may read.
  const ids = new Int32Array(lists * capacity).fill(2 ** 30);
  counts.forEach((count, list) => {
    const chosen = shuffled(units, next).slice(0, count);
    ids.set(
      chosen.sort((a, b) => a - b),
      list * capacity,
    );
  });
  return { kind, ids, counts, shape, queryBlock, blockSize };
}
