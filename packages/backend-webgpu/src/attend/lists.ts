import {
  blockSizeOf,
  type BlocksSelection,
  type Interval,
  type Selection,
  type TokensSelection,
} from '@jit-attention/core';

import type { Descriptor } from '../descriptor.js';
import type { Gpu } from '../gpu.js';
import { gcd, type Half, listOf } from '../halves.js';
import type { Storage } from '../storage.js';
import { powerAbove } from './tiling.js';
import type { Legs } from './walk.js';

export type Listed = BlocksSelection | TokensSelection;

/** A selection's parts, by what they are. */
export interface Parts {
  readonly all: boolean;
  readonly intervals: readonly Interval[];
  readonly lists: readonly Listed[];
}

export function partsOf(selection: Selection): Parts {
  const parts = selection.kind === 'united' ? selection.of : [selection];
  return {
    all: selection.kind === 'all',
    intervals: roundedUp(parts.flatMap((part) => (part.kind === 'ranges' ? part.ranges : []))),
    lists: parts.filter((part): part is Listed => part.kind === 'blocks' || part.kind === 'tokens'),
  };
}

/** What a selection is of the queries of a half. */
export function selectionOf(gpu: Gpu, selection: Selection, half: Half): Selection {
  if (selection.kind === 'all' || selection.kind === 'ranges') return selection;
  if (selection.kind !== 'united') return listOf(gpu, selection, half);
  const of = selection.of.map((part) => (part.kind === 'ranges' ? part : listOf(gpu, part, half)));
  return { kind: 'united', of };
}

/** A power of two, so that there are few kernels; the others are empty. */
function roundedUp(intervals: readonly Interval[]): readonly Interval[] {
  const count = intervals.length === 0 ? 0 : powerAbove(intervals.length);
  return [...intervals, ...new Array<Interval>(count - intervals.length).fill([0, 0])];
}

export const legsOf = ({ all, intervals, lists }: Parts): Legs => ({
  all,
  intervals: intervals.length,
  lists: lists.length,
});

/** Queries in a row that have all their lists in common. */
export function spanOf({ lists }: Parts, tokens: number): number {
  if (lists.length === 0) return tokens;
  return Math.min(tokens, lists.map(({ queryBlock }) => queryBlock).reduce(gcd));
}

/** Entries that a list has room for. */
export const roomOf = (list: Listed): number => list.ids.shape[3] * blockSizeOf(list);

/** Lists as kernels bind them, see `listBuffers`, and where the words about them are. */
export function bindLists(
  gpu: Gpu,
  descriptor: Descriptor,
  lists: readonly Listed[],
): { at: number; buffers: Storage[] } {
  const stored = lists.flatMap(({ ids, counts }) => [gpu.storageOf(ids), gpu.storageOf(counts)]);
  const together = lists.length > 1 ? gathered(gpu, stored) : { buffers: stored, offsets: [0, 0] };
  const words = lists.flatMap((list, i) => {
    const [, heads, queryBlocks, capacity] = list.ids.shape;
    const offsets = together.offsets.slice(2 * i, 2 * i + 2);
    return [heads, queryBlocks, capacity, list.queryBlock, blockSizeOf(list), ...offsets];
  });
  return { at: descriptor.list(words), buffers: together.buffers };
}

/** Copies buffers into one; `offsets` in words. */
function gathered(gpu: Gpu, stored: readonly Storage[]): { buffers: Storage[]; offsets: number[] } {
  const all = gpu.scratch(stored.reduce((sum, { bytes }) => sum + bytes, 0));
  let offset = 0;
  const offsets = stored.map((storage) => {
    const at = offset;
    gpu.copy(storage, { ...all, offset: all.offset + at, bytes: storage.bytes });
    offset += storage.bytes;
    return at / 4;
  });
  return { buffers: [all], offsets };
}
