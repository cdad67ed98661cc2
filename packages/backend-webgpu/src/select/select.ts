import type { BlocksSelection, SelectRequest, TokensSelection } from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import { assertHeld } from './held.js';
import { horizonsOf } from './horizons.js';
import { jobOf } from './job.js';
import { listsOf } from './lists.js';
import { slabsOf } from './slabs.js';
import { runSlab } from './steps.js';

/**
 * Scores and picks, without ever holding what all queries score: of a slab of rows raw scores are made, of these one
 * of each unit and list, and lists are picked from; then the next slab uses the same memory.
 *
 * @throws {CacheError} `ENTRY_FREED` when an entry that would be scored has been let go
 */
export function select(gpu: Gpu, request: SelectRequest): BlocksSelection | TokensSelection {
  const lists = listsOf(request);
  const horizons = horizonsOf(request, lists);
  assertHeld(request, horizons);
  const { queryBlock = 1, block = 1 } = request;
  const shape = [lists.batch, lists.heads, lists.queryBlocks];
  const ids = gpu.make([...shape, lists.capacity], 'i32');
  const counts = gpu.make(shape, 'i32');
  const slabs = slabsOf(lists, Math.max(1, horizons.units, horizons.entries));
  if (slabs.length > 0) {
    const job = jobOf(gpu, request, { lists, horizons, slabs }, { ids, counts });
    for (const slab of slabs) runSlab(job, slab);
  }
  const listed = { ids, counts, queryBlock };
  return block === 1
    ? { kind: 'tokens', ...listed }
    : { kind: 'blocks', blockSize: block, ...listed };
}
