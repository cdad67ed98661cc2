import { scoredEntries, type SelectRequest, type Tensor } from '@jit-attention/core';

import type { Host } from '../host.js';
import { isProbability, type Lists } from './lists.js';
import { regionsOf } from './regions.js';
import { sizesOf, wholeVectors } from './sizes.js';
import { writeSpec } from './spec.js';
import { listsToKeep, tileListsOf, type Wave, type Waves, wavesOf } from './waves.js';

/** Bytes of a row's statistics in a slice. */
const STATISTICS_BYTES = 8;

/** What all waves of a selection share. */
export interface Job {
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
  /** Room for the logits of the rows of a wave, and how many of each row; 0: they are scored anew. */
  readonly kept: number;
  readonly keptEntries: number;
}

/** Logits of a row that the second pass over probabilities needs, if all of a list can be kept; 0 otherwise. */
function keptEntries(request: SelectRequest, lists: Lists, threads: number): number {
  const { score, within } = request;
  if (!isProbability(score) || within || lists.reduce === 'union') return 0;
  const lengths = scoredEntries(score).lengths.map((length) => Math.ceil(length / lists.cell));
  const entries = wholeVectors(Math.max(...lengths));
  return listsToKeep(lists, entries, threads) > 0 ? entries : 0;
}

export function jobOf(
  host: Host,
  request: SelectRequest,
  lists: Lists,
  result: { ids: Tensor; counts: Tensor },
): Job {
  const tileLists = tileListsOf(lists, request.within !== undefined);
  const kept = keptEntries(request, lists, host.threads);
  const waves = wavesOf(lists, tileLists, kept, host.threads);
  const sizes = sizesOf(request, lists, tileLists);
  const { offsets, bytes } = regionsOf(request, lists, sizes);
  const probabilities = isProbability(request.score);
  return {
    ...{ host, lists, waves, probabilities },
    spec: writeSpec(host, request, lists, sizes, result, offsets),
    scratch: bytes,
    scores: host.arena.bytes(4 * waves.slots * waves.slotUnits),
    statistics: host.arena.bytes(probabilities ? STATISTICS_BYTES * waves.rowSlices : 0),
    keptEntries: kept,
    kept: kept > 0 ? host.arena.bytes(4 * waves.lists * lists.rows * kept) : 0,
    marks: host.arena.bytes(lists.reduce === 'union' ? waves.lists * waves.slotUnits : 0),
  };
}

/** Sets the scores of rows `[from, to)` of the lists of a wave. */
export type Scoring = (job: Job, wave: Wave, from: number, to: number) => void;

/** Scores and picks a wave at a time. */
export function runWaves(job: Job, score: Scoring): void {
  const { host, lists, waves, marks } = job;
  const union = lists.reduce === 'union';
  for (const wave of waves.waves) {
    const pick = (kernel: string, from: number, to: number): void =>
      host.run(kernel, describe(job, wave, from, to, wave.count), pickBytes(job));
    if (union) host.memory.u8(marks, wave.count * waves.slotUnits).fill(0);
    for (const [from, count] of waves.rows) {
      score(job, wave, from, from + count);
      pick('selectPicked', from, from + count);
    }
    if (union) pick('selectMarked', 0, lists.rows);
  }
}

/** Scores by the kernels. */
export const scoreUnits: Scoring = (job, wave, from, to) => {
  const { host, probabilities, scratch } = job;
  const desc = describe(job, wave, from, to, wave.tiles.length * wave.slices);
  if (probabilities) host.run('selectStatistics', desc, scratch);
  host.run('selectScores', desc, scratch);
};

/** The words of a wave, for kernels of `tasks`; see assembly/select/spec.ts. */
function describe(job: Job, wave: Wave, from: number, to: number, tasks: number): number {
  const { host, lists, waves } = job;
  return host.arena.i32([
    ...[0, tasks, job.spec],
    host.arena.i32(wave.tiles.flat()),
    ...[wave.slices, wave.first],
    ...[job.scores, waves.slotUnits, lists.reduce === 'union' ? to - from : 1],
    ...[from, to, job.statistics, job.marks, job.kept, job.keptEntries],
  ]);
}

function pickBytes({ host, waves }: Job): number {
  return host.call('selectPickBytes', waves.slotUnits);
}
