import type { SelectRequest, Tensor } from '@jit-attention/core';

import type { Host } from '../host.js';
import { isProbability, type Lists } from './lists.js';
import { regionsOf } from './regions.js';
import { sizesOf } from './sizes.js';
import { writeSpec } from './spec.js';
import { tileListsOf, type Wave, type Waves, wavesOf } from './waves.js';

/** Bytes of a row's statistics in a slice. */
const STATISTICS_BYTES = 8;

/** What all waves of a selection share. */
interface Job {
  readonly host: Host;
  readonly lists: Lists;
  readonly waves: Waves;
  readonly probabilities: boolean;
  /** The words of assembly/select/spec.ts, and the scratch of a thread that scores. */
  readonly spec: number;
  readonly scratch: number;
  /** Memory that each wave uses anew. */
  readonly scores: number;
  readonly statistics: number;
  readonly marks: number;
}

/** Scores and picks a wave at a time into `ids` and `counts`. */
export function runWaves(
  host: Host,
  request: SelectRequest,
  lists: Lists,
  result: { ids: Tensor; counts: Tensor },
): void {
  const tileLists = tileListsOf(lists, request.within !== undefined);
  const waves = wavesOf(lists, tileLists, host.threads);
  const sizes = sizesOf(request, lists, tileLists);
  const { offsets, bytes } = regionsOf(request, lists, sizes);
  const probabilities = isProbability(request.score);
  const job: Job = {
    ...{ host, lists, waves, probabilities },
    spec: writeSpec(host, request, lists, sizes, result, offsets),
    scratch: bytes,
    scores: host.arena.bytes(4 * waves.slots * waves.slotUnits),
    statistics: host.arena.bytes(probabilities ? STATISTICS_BYTES * waves.rowSlices : 0),
    marks: host.arena.bytes(lists.reduce === 'union' ? waves.lists * waves.slotUnits : 0),
  };
  for (const wave of waves.waves) runWave(job, wave);
}

function runWave(job: Job, wave: Wave): void {
  const { host, lists, waves, marks } = job;
  const union = lists.reduce === 'union';
  if (union) host.memory.u8(marks, wave.count * waves.slotUnits).fill(0);
  for (const [first, count] of waves.rows) scoreAndPick(job, wave, first, first + count);
  if (union) host.run('selectMarked', describe(job, wave, 0, 0, wave.count), pickBytes(job));
}

function scoreAndPick(job: Job, wave: Wave, from: number, to: number): void {
  const { host, probabilities, scratch } = job;
  const scoring = describe(job, wave, from, to, wave.tiles.length * wave.slices);
  if (probabilities) host.run('selectStatistics', scoring, scratch);
  host.run('selectScores', scoring, scratch);
  host.run('selectPicked', describe(job, wave, from, to, wave.count), pickBytes(job));
}

/** The words of a wave, for kernels of `tasks`; see assembly/select/spec.ts. */
function describe(job: Job, wave: Wave, from: number, to: number, tasks: number): number {
  const { host, lists, waves } = job;
  return host.arena.i32([
    ...[0, tasks, job.spec],
    host.arena.i32(wave.tiles.flat()),
    ...[wave.slices, wave.first],
    ...[job.scores, waves.slotUnits, lists.reduce === 'union' ? to - from : 1],
    ...[from, to, job.statistics, job.marks],
  ]);
}

function pickBytes({ host, waves }: Job): number {
  return host.call('selectPickBytes', waves.slotUnits);
}
