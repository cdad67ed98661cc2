import type { SelectRequest, Tensor } from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import type { Storage } from '../storage.js';
import type { Horizons } from './horizons.js';
import { isProbability, type Lists } from './lists.js';
import { scored } from './score.js';
import type { Slab } from './slabs.js';
import { bitWords, specOf, wholeVectors } from './spec.js';

/** What all slabs of a selection share. */
export interface Job {
  readonly gpu: Gpu;
  readonly request: SelectRequest;
  readonly lists: Lists;
  /** The most entries that any row sees. */
  readonly entries: number;
  /** See {@link specOf}. */
  readonly spec: readonly number[];
  /** See {@link scored}. */
  readonly scored: readonly Storage[];
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
  { lists, horizons, slabs }: { lists: Lists; horizons: Horizons; slabs: readonly Slab[] },
  result: { ids: Tensor; counts: Tensor },
): Job {
  const most = (of: (slab: Slab) => number): number => Math.max(...slabs.map(of));
  const entries = Math.max(...horizons.entries);
  const words = (count: number): Storage => gpu.scratch(4 * count);
  const rows = most((slab) => slab.rows);
  return {
    ...{ gpu, request, lists, entries },
    scored: scored(gpu, request.score),
    spec: specOf(request, lists, horizons),
    ids: gpu.storageOf(result.ids),
    counts: gpu.storageOf(result.counts),
    raw: words(rows * wholeVectors(Math.max(1, entries))),
    bits: words(request.within ? rows * bitWords(lists.units) : 0),
    statistics: words(isProbability(request.score) ? 2 * rows : 0),
    ranks: words(most((slab) => slab.slots) * wholeVectors(lists.units)),
    marks: words(lists.reduce === 'union' ? most((slab) => slab.lists) * bitWords(lists.units) : 0),
  };
}
