import type {
  Bound,
  DType,
  Entries,
  Interval,
  Positions,
  Selection,
  Tensor,
} from '@jit-attention/core';
import { blockSizeOf, headsOf, rowBytes, widthOf } from '@jit-attention/core';

import type { Arena } from './host.js';

/**
 * Writes what a kernel works on into the arena of the call, as words of 32 bits. The layouts are those of
 * assembly/layout.ts, and the two files change together.
 */

export const DTYPE_CODES: Record<DType, number> = { f32: 0, f16: 1, i8: 2, i32: 3 };
const ALL = 0;
const RANGES = 1;
const LIST = 2;
const PART_WORDS = 8;
/** The bound of what has none. */
const EVERYTHING = 0x7fffffff;

type PointerOf = (tensor: Tensor) => number;

export function encodeEntries(arena: Arena, pointerOf: PointerOf, entries: Entries): number {
  const { storage, pageSize, tables, lengths } = entries;
  const width = widthOf(entries);
  let next = 0;
  const offsets = tables.map((table) => {
    const offset = next;
    next += table.length;
    return offset;
  });
  return arena.i32([
    pointerOf(storage),
    DTYPE_CODES[storage.dtype],
    pageSize,
    headsOf(entries),
    width,
    rowBytes(storage.dtype, width),
    arena.i32(tables.length === 1 ? tables[0] : tables.flat()),
    arena.i32(offsets),
    arena.i32(lengths),
  ]);
}

export function encodePositions(arena: Arena, { tokens, first, counts }: Positions): number {
  return arena.i32([tokens, arena.i32(first), arena.i32(counts), first.length]);
}

export function encodeBound(arena: Arena, bound: Bound | undefined): number {
  return arena.i32(boundWords(bound ?? EVERYTHING));
}

export function boundWords(bound: Bound): [offset: number, stride: number] {
  if (typeof bound !== 'number') return [bound.offset, bound.stride];
  return [Math.max(-EVERYTHING, Math.min(EVERYTHING, bound)), 0];
}

export function encodeIntervals(arena: Arena, intervals: readonly Interval[]): number {
  return arena.i32(intervals.flatMap(([start, end]) => [...boundWords(start), ...boundWords(end)]));
}

export function encodeSelection(arena: Arena, pointerOf: PointerOf, selection: Selection): number {
  const parts = selection.kind === 'united' ? selection.of : [selection];
  const words = [parts.length];
  for (const part of parts) {
    const own = partWords(arena, pointerOf, part);
    words.push(...own, ...new Array<number>(PART_WORDS - own.length).fill(0));
  }
  return arena.i32(words);
}

function partWords(
  arena: Arena,
  pointerOf: PointerOf,
  part: Exclude<Selection, { kind: 'united' }>,
): number[] {
  if (part.kind === 'all') return [ALL];
  if (part.kind === 'ranges')
    return [RANGES, part.ranges.length, encodeIntervals(arena, part.ranges)];
  const { ids, counts, queryBlock } = part;
  const [, heads, queryBlocks, capacity] = ids.shape;
  return [
    LIST,
    pointerOf(ids),
    pointerOf(counts),
    heads,
    queryBlocks,
    capacity,
    queryBlock,
    blockSizeOf(part),
  ];
}
