import type { Pooling } from '@jit-attention/core';

import type { Kernel } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import type { Storage } from '../storage.js';
import { candidatesKernel } from './candidates.js';
import type { Job } from './job.js';
import { markedKernel } from './listing.js';
import { partFields } from './parts.js';
import { pickKernel } from './pick.js';
import { rowTable } from './row-table.js';
import { scoring } from './score.js';
import type { Slab } from './slabs.js';
import { bitWords, type Fields, withFields } from './spec.js';
import { statisticsKernel } from './statistics.js';
import { QUAD } from './together.js';
import { type Pooled, unitsKernel } from './units.js';

/** A slab's turn. */
interface Turn {
  readonly job: Job;
  readonly slab: Slab;
  /** Runs a kernel on buffers, of which the first are the slab's rows. */
  readonly run: (
    kernel: Kernel,
    buffers: readonly Storage[],
    groups: number,
    fields?: Fields,
  ) => void;
}

/** Scores and picks what is in a slab. */
export function runSlab(job: Job, slab: Slab): void {
  const { gpu, request, lists, horizons } = job;
  const words = withFields(job.spec, slab.fields);
  const rows = gpu.upload(rowTable(request, lists, horizons, slab));
  const turn: Turn = {
    ...{ job, slab },
    run: (kernel, buffers, groups, fields) =>
      gpu.run(kernel, {
        words: fields ? withFields(words, fields) : words,
        buffers: [rows, ...buffers],
        groups,
      }),
  };
  if (request.within) findCandidates(turn);
  if (horizons.entries > 0) scoreRows(turn);
  if (job.probable) sumUp(turn);
  scoreUnits(turn);
  if (lists.reduce === 'union') markUnits(turn);
  else if (slab.ends) pickUnits(turn);
}

function findCandidates({ job: { gpu, request, horizons, bits }, slab, run }: Turn): void {
  const { ids, counts } = request.within!;
  const entries = !request.pool && request.score.kind !== 'antidiagonal';
  const buffers = [gpu.storageOf(ids), gpu.storageOf(counts), bits];
  run(candidatesKernel(entries), buffers, Math.ceil((slab.rows * bitWords(horizons.units)) / 64));
}

function scoreRows({ job, slab, run }: Turn): void {
  const { kernel, groups } = scoring(job, slab);
  const { query, parts, weights } = job.scored;
  const rest = [...weights, ...(job.masked ? [job.bits] : []), job.raw];
  parts.forEach((part, i) => {
    const bound = part.map(({ at }) => at);
    run(kernel, [query, ...bound, ...rest], groups, partFields(part, i === 0));
  });
}

function sumUp({ job, slab, run }: Turn): void {
  const { gpu, horizons, masked, raw, bits, statistics } = job;
  const threads = threadsFor(gpu, horizons.entries);
  run(statisticsKernel(masked, threads), [raw, ...(masked ? [bits] : []), statistics], slab.rows);
}

function scoreUnits({ job, slab, run }: Turn): void {
  const { request, lists, horizons, probable, raw, bits, statistics, ranks } = job;
  const within = request.within !== undefined;
  const reduce = lists.reduce === 'sum' ? 'sum' : 'max';
  const buffers = [raw, ...(probable ? [statistics] : []), ...(within ? [bits] : []), ranks];
  const groups = slab.slots * Math.max(1, Math.ceil(horizons.units / 256));
  run(unitsKernel(pooledBy(request.pool), probable, within, reduce), buffers, groups);
}

function pooledBy(pool: Pooling | undefined): Pooled {
  if (!pool) return 'no';
  return pool.weights === 'max' ? 'max' : 'weights';
}

function pickUnits({ job, slab, run }: Turn): void {
  run(picking(job, false), [job.ranks, job.ids, job.counts], slab.slots);
}

/** Each row picks for itself; what all have picked is listed once the last of them has. */
function markUnits({ job, slab, run }: Turn): void {
  if (slab.begins) job.gpu.clear(job.marks);
  run(picking(job, true), [job.ranks, job.marks], slab.slots);
  if (slab.ends) run(markedKernel, [job.marks, job.ids, job.counts], slab.lists);
}

function picking(job: Job, marks: boolean): Kernel {
  const { pick, always = [] } = job.request;
  // From p = 1 on every unit is asked for.
  const kind = pick.kind === 'topp' && pick.p >= 1 ? 'topk' : pick.kind;
  return pickKernel(kind, always.length > 0, marks, threadsFor(job.gpu, job.horizons.units));
}

/** Threads that share a row. Few wait for each other less, and one has 32 numbers to look at if it can. */
function threadsFor(gpu: Gpu, numbers: number): number {
  if (gpu.features.has('subgroups') && gpu.subgroup[1] === QUAD) return QUAD;
  return Math.max(32, Math.min(128, 2 ** Math.floor(Math.log2(Math.max(1, numbers) / 32))));
}
