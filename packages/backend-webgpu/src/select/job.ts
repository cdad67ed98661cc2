import type { SelectRequest, Tensor } from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import type { Storage } from '../storage.js';
import type { Horizons } from './horizons.js';
import { isProbability, type Lists } from './lists.js';
import { type Scored, scored } from './score.js';
import type { Slab } from './slabs.js';
import { bitWords, specOf, wholeVectors } from './spec.js';

/** What all slabs of a selection share. */
export interface Job {
  readonly gpu: Gpu;
  readonly request: SelectRequest;
  readonly lists: Lists;
  readonly horizons: Horizons;
  /** See {@link specOf}. */
  readonly spec: readonly number[];
  /** Whether raw scores become probabilities, and whether only those of candidates count. */
  readonly probable: boolean;
  readonly masked: boolean;
  /** See {@link scored}. */
  readonly scored: Scored;
  readonly ids: Storage;
  readonly counts: Storage;
  /** What each slab writes anew, see the kernels; of those not needed nothing is held. */
  readonly raw: Storage;
  readonly bits: Storage;
  readonly statistics: Storage;
  readonly ranks: Storage;
  readonly marks: Storage;
}

export function jobOf(
  gpu: Gpu,
  request: SelectRequest,
  sizes: { lists: Lists; horizons: Horizons; slabs: readonly Slab[] },
  result: { ids: Tensor; counts: Tensor },
): Job {
  const { lists, horizons, slabs } = sizes;
  const { units, entries } = horizons;
  const most = (of: (slab: Slab) => number): number => Math.max(...slabs.map(of));
  const [rows, slots] = [most((slab) => slab.rows), most((slab) => slab.slots)];
  const marked = lists.reduce === 'union' ? most((slab) => slab.lists) : 0;
  const probable = isProbability(request.score);
  const words = (count: number): Storage => gpu.scratch(4 * count);
  return {
    ...{ gpu, request, lists, horizons, probable },
    spec: specOf(request, lists, horizons),
    // Where entries are pooled, all count.
    masked: request.within !== undefined && request.pool === undefined,
    scored: scored(gpu, request.score),
    ids: gpu.storageOf(result.ids),
    counts: gpu.storageOf(result.counts),
    raw: words(rows * wholeVectors(entries)),
    bits: words(request.within ? rows * bitWords(units) : 0),
    statistics: words(probable ? 2 * rows : 0),
    ranks: words(slots * wholeVectors(units)),
    marks: words(marked * bitWords(units)),
  };
}
