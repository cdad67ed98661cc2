import { type DType, type Score, scoredEntries, widthOf } from '@jit-attention/core';

import { type Kernel, kernels } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { decoded } from '../ops/convert.js';
import type { Storage } from '../storage.js';
import type { Job } from './job.js';
import { boundsKernel } from './score-bounds.js';
import { cellsKernel } from './score-cells.js';
import { type Part, scoredParts } from './parts.js';
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
    isPart: boolean,
  ): Kernel => KERNELS[kind]({ whole, dtype, maxima, masked, rows, across, quads, isPart }),
);

/** What a score is made of: its queries, the scored entries in parts, and an indexer's weights. */
export interface Scored {
  readonly query: Storage;
  readonly parts: readonly Part[];
  readonly weights: readonly Storage[];
}

export function scored(gpu: Gpu, score: Score): Scored {
  return {
    query: decoded(gpu, score.query),
    parts: scoredParts(gpu, score),
    weights: score.kind === 'reluWeighted' ? [decoded(gpu, score.weights)] : [],
  };
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
  const isPart = job.scored.parts.length > 1;
  return {
    kernel: made(score.kind, whole, ...dtypesOf(score), masked, rows, across, quads, isPart),
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
