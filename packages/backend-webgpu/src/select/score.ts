import { type DType, type Score, scoredEntries, widthOf } from '@jit-attention/core';

import { type Kernel, kernels } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { decoded } from '../ops/convert.js';
import type { Storage } from '../storage.js';
import type { Job } from './job.js';
import { boundsKernel } from './score-bounds.js';
import { cellsKernel } from './score-cells.js';
import { dotsKernel } from './score-dots.js';
import { indexerKernel } from './score-indexer.js';
import type { Slab } from './slabs.js';
import { THREADS } from './tile.js';

const KERNELS = {
  dot: dotsKernel,
  softmax: dotsKernel,
  bounds: boundsKernel,
  reluWeighted: indexerKernel,
  antidiagonal: cellsKernel,
};

const made = kernels(
  (
    kind: Score['kind'],
    whole: boolean,
    dtype: DType,
    maxima: DType,
    masked: boolean,
    rows: number,
    across: number,
    quads: boolean,
  ): Kernel => KERNELS[kind]({ whole, dtype, maxima, masked, rows, across, quads }),
);

/** The buffers that a score is made of, queries first. */
export function scored(gpu: Gpu, score: Score): Storage[] {
  const query = decoded(gpu, score.query);
  switch (score.kind) {
    case 'bounds':
      return [query, gpu.storageOf(score.min.storage), gpu.storageOf(score.max.storage)];
    case 'reluWeighted':
      return [query, gpu.storageOf(score.keys.storage), decoded(gpu, score.weights)];
    default:
      return [query, gpu.storageOf(score.keys.storage)];
  }
}

/** What scores the rows of a slab against all entries that they see, or those that are candidates. */
export function scoring(job: Job, slab: Slab): { kernel: Kernel; groups: number } {
  const { gpu, masked, horizons } = job;
  const { score } = job.request;
  const [rows, across] = shareOf(score, slab);
  const tileRows = (score.kind === 'reluWeighted' ? 1 : rows) * (THREADS / across);
  const tiles = Math.ceil(slab.segmentRows / tileRows);
  const strips = Math.ceil(horizons.entries / (4 * across));
  const whole = widthOf(scoredEntries(score)) % 4 === 0;
  const quads = gpu.features.has('subgroups');
  return {
    kernel: made(score.kind, whole, ...dtypesOf(score), masked, rows, across, quads),
    groups: slab.segments * tiles * strips,
  };
}

function dtypesOf(score: Score): [DType, DType] {
  const { dtype } = scoredEntries(score).storage;
  return [dtype, score.kind === 'bounds' ? score.max.storage.dtype : dtype];
}

/** Rows (or an indexer's heads) of a thread, and threads side by side: the others have other rows, if there are any. */
function shareOf(score: Score, { segmentRows }: Slab): [rows: number, across: number] {
  const indexer = score.kind === 'reluWeighted';
  const most = indexer ? score.query.shape[1] : segmentRows;
  const rows = most === 1 ? 1 : most <= 4 ? 4 : 8;
  return [rows, segmentRows > (indexer ? 1 : rows) ? 16 : 64];
}
