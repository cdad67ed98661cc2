import type { Bound, Entries, Interval, Positions, Tensor } from '@jit-attention/core';

import { floatWord } from './gpu.js';
import { rowWords } from './storage.js';

/** Entries, wherever they are stored. */
export interface EntriesLayout extends Omit<Entries, 'storage'> {
  readonly storage: Pick<Tensor, 'dtype' | 'shape'>;
}

/** The bound of what has none. */
const EVERYTHING = 0x7fffffff;

/**
 * The words of a call, for `words` in WGSL. Methods return the index at which kernels find what was added; the layouts
 * are those of wgsl/layout.ts, and the two files change together.
 */
export class Descriptor {
  /** Word 0 is the number of workgroups, see {@link Gpu.run}. */
  readonly words: number[] = [];

  /** Words as they are. */
  add(...words: readonly number[]): number {
    return this.list(words);
  }

  list(words: readonly number[]): number {
    const at = 1 + this.words.length;
    for (const word of words) this.words.push(word);
    return at;
  }

  float(value: number): number {
    return this.add(floatWord(value));
  }

  /** `[pageSize, heads, rowWords, lengthsAt, offsetsAt]`; `offsetsAt`: where the page table of each row is. */
  entries({ storage, pageSize, tables, lengths }: EntriesLayout): number {
    const lengthsAt = this.list(lengths);
    const offsetsAt = this.list(tables.map((table) => this.list(table)));
    const words = rowWords(storage.dtype, storage.shape[3]);
    return this.add(pageSize, storage.shape[1], words, lengthsAt, offsetsAt);
  }

  /** `[firstAt, countsAt, tokens]` */
  positions({ first, counts, tokens }: Positions): number {
    return this.add(this.list(first), this.list(counts), tokens);
  }

  /** `[offset, stride]`; stride 0: the offset is the bound. */
  bound(bound: Bound | undefined): number {
    return this.add(...boundWords(bound ?? EVERYTHING));
  }

  /** `[start, end]` bounds of each, 4 words. */
  intervals(intervals: readonly Interval[]): number {
    return this.list(
      intervals.flatMap(([start, end]) => [...boundWords(start), ...boundWords(end)]),
    );
  }
}

function boundWords(bound: Bound): [offset: number, stride: number] {
  if (typeof bound !== 'number') return [bound.offset, bound.stride];
  return [Math.max(-EVERYTHING, Math.min(EVERYTHING, bound)), 0];
}
