import { candidatesKernel } from './candidates.js';
import type { Job } from './job.js';
import { isProbability } from './lists.js';
import { markedKernel } from './listing.js';
import { pickKernel } from './pick.js';
import { scoreRows } from './score.js';
import type { Slab } from './slabs.js';
import { bitWords, withFields } from './spec.js';
import { statisticsKernel } from './statistics.js';
import { type Pooled, unitsKernel } from './units.js';

type Step = (job: Job, slab: Slab, words: readonly number[]) => void;

/** Scores and picks what is in a slab. */
export function runSlab(job: Job, slab: Slab): void {
  const { request, lists, spec, entries } = job;
  const words = withFields(spec, slab.fields);
  const step = (take: Step): void => take(job, slab, words);
  if (request.within) step(findCandidates);
  if (entries > 0) step(scoreRows);
  if (isProbability(request.score)) step(sumUp);
  step(scoreUnits);
  if (lists.reduce === 'union') step(markUnits);
  else if (slab.ends) step(pickUnits);
}

const findCandidates: Step = ({ gpu, request, lists, bits }, slab, words) => {
  const { within, pool, score } = request;
  const entries = !pool && score.kind !== 'antidiagonal';
  gpu.run(candidatesKernel(entries), {
    words,
    buffers: [gpu.storageOf(within!.ids), gpu.storageOf(within!.counts), bits],
    groups: Math.ceil((slab.rows * bitWords(lists.units)) / 64),
  });
};

const sumUp: Step = ({ gpu, request, raw, bits, statistics }, slab, words) => {
  // Where entries are pooled, all are in the softmax.
  const masked = request.within !== undefined && !request.pool;
  gpu.run(statisticsKernel(masked), {
    words,
    buffers: [raw, ...(masked ? [bits] : []), statistics],
    groups: slab.rows,
  });
};

const scoreUnits: Step = (job, slab, words) => {
  const { gpu, request, lists, raw, bits, statistics, ranks } = job;
  const probable = isProbability(request.score);
  const masked = request.within !== undefined;
  const reduce = lists.reduce === 'sum' ? 'sum' : 'max';
  gpu.run(unitsKernel(pooledBy(request.pool), probable, masked, reduce), {
    words,
    buffers: [raw, ...(probable ? [statistics] : []), ...(masked ? [bits] : []), ranks],
    groups: slab.slots * Math.ceil(lists.units / 256),
  });
};

function pooledBy(pool: Job['request']['pool']): Pooled {
  if (!pool) return 'no';
  return pool.weights === 'max' ? 'max' : 'weights';
}

const pickUnits: Step = (job, slab, words) => {
  const { gpu, ranks, ids, counts } = job;
  const buffers = [ranks, ids, counts];
  gpu.run(pickingOf(job, false), { words, buffers, groups: slab.slots });
};

/** Each row picks for itself; what all have picked is listed once the last of them has. */
const markUnits: Step = (job, slab, words) => {
  const { gpu, ranks, marks, ids, counts } = job;
  if (slab.begins) gpu.clear(marks);
  gpu.run(pickingOf(job, true), { words, buffers: [ranks, marks], groups: slab.slots });
  if (!slab.ends) return;
  gpu.run(markedKernel, { words, buffers: [marks, ids, counts], groups: slab.lists });
};

function pickingOf({ request, lists }: Job, marks: boolean): ReturnType<typeof pickKernel> {
  const { pick, always = [] } = request;
  // Of probabilities all are asked for.
  const kind = pick.kind === 'topp' && pick.p >= 1 ? 'topk' : pick.kind;
  return pickKernel(kind, always.length > 0, marks, threadsFor(lists.units));
}

/** Threads that pick from a list: few of them wait for each other less, and one has 32 units to look at if it can. */
function threadsFor(units: number): number {
  return Math.max(32, Math.min(128, 2 ** Math.floor(Math.log2(units / 32))));
}
