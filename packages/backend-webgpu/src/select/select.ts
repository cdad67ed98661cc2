import {
  type BlocksSelection,
  type Score,
  type SelectRequest,
  slicePositions,
  type Tensor,
  tensorsOf,
  type TokensSelection,
} from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import { fits, type Half, halfOf, halves, lcm, listOf } from '../halves.js';
import { copyInto } from '../ops/copy-into.js';
import { assertHeld } from './held.js';
import { horizonsOf } from './horizons.js';
import { jobOf } from './job.js';
import { listsOf } from './lists.js';
import { slabsOf } from './slabs.js';
import { wholeVectors } from './spec.js';
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
  const listed = { ids, counts, queryBlock };
  const result: BlocksSelection | TokensSelection =
    block === 1 ? { kind: 'tokens', ...listed } : { kind: 'blocks', blockSize: block, ...listed };
  const smaller = halvesOf(gpu, request, ids);
  if (smaller.length > 0) {
    for (const half of smaller) selectHalf(gpu, request, half, result);
    return result;
  }
  const slabs = slabsOf(gpu, lists, wholeVectors(Math.max(horizons.units, horizons.entries)));
  if (slabs.length > 0) {
    const job = jobOf(gpu, request, { lists, horizons, slabs }, { ids, counts });
    for (const slab of slabs) runSlab(job, slab);
  }
  return result;
}

/** None where all of the call can be bound. */
function halvesOf(gpu: Gpu, { score, within, queryBlock = 1 }: SelectRequest, ids: Tensor): Half[] {
  const { query } = score;
  if (fits(gpu, 4 * query.size, ids.bytes, within?.ids.bytes ?? 0)) return [];
  const cell = score.kind === 'antidiagonal' ? score.stride : 1;
  return halves(query.shape[2], [queryBlock, within?.queryBlock ?? 1, cell].reduce(lcm));
}

function selectHalf(
  gpu: Gpu,
  request: SelectRequest,
  half: Half,
  result: BlocksSelection | TokensSelection,
): void {
  const score = scoreOf(gpu, request.score, half);
  const within = request.within && listOf(gpu, request.within, half);
  const positions = slicePositions(request.positions, ...half);
  const found = select(gpu, { ...request, score, within, positions });
  for (const name of ['ids', 'counts'] as const) {
    copyInto(gpu, result[name], found[name], { axis: 2, at: half[0] / result.queryBlock });
    found[name].dispose();
  }
  score.query.dispose();
  if (score.kind === 'reluWeighted') score.weights.dispose();
  for (const list of within ? tensorsOf(within) : []) list.dispose();
}

function scoreOf(gpu: Gpu, score: Score, half: Half): Score {
  const query = halfOf(gpu, score.query, half);
  if (score.kind !== 'reluWeighted') return { ...score, query };
  return { ...score, query, weights: halfOf(gpu, score.weights, half) };
}
