import { type Entries, type PoolPart, type PoolRequest, widthOf } from '@jit-attention/core';

import type { EntriesLayout } from '../descriptor.js';
import type { Gpu } from '../gpu.js';
import type { Storage } from '../storage.js';

/** Rows as a kernel reads them. */
export interface Source {
  readonly at: Storage;
  readonly entries: EntriesLayout;
  /** Words before the first page. */
  readonly base: number;
  /** For each batch row, the entry that is the first one stored. */
  readonly low: readonly number[];
  /** The first channel to take. */
  readonly channel: number;
}

/** A part of a request, whose values and logits may have been brought together. */
export interface Part extends Pick<PoolPart, 'start' | 'length'> {
  readonly values: Source;
  readonly logits: Source | undefined;
}

export const sourcesOf = ({ values, logits }: Part): Source[] =>
  logits ? [values, logits] : [values];

export const channelsOf = ({ values, channels }: PoolPart): readonly [number, number] =>
  channels ?? [0, widthOf(values)];

/** The parts of a request where they are. */
export function partsAsTheyLie(gpu: Gpu, { parts, first, kind }: PoolRequest): Part[] {
  return parts.map((part): Part => {
    const source = (entries: Entries): Source => ({
      at: gpu.storageOf(entries.storage),
      ...{ entries, base: 0, low: first.map(() => 0), channel: channelsOf(part)[0] },
    });
    const { values, logits, start, length } = part;
    const hasLogits = kind === 'softmax' && logits !== undefined;
    return {
      values: source(values),
      logits: hasLogits ? source(logits) : undefined,
      start,
      length,
    };
  });
}
