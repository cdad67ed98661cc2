import { setImmediate } from 'node:timers/promises';

import type { AttentionStrategy } from '@jit-attention/core';

import type { Device } from '../backends.js';
import { type Candidate, labelOf } from '../candidates/candidate.js';
import { assess, type Quality } from './quality.js';
import type { Run } from './runs.js';
import { lapsOf, time, type Timing } from './time.js';
import type { LayerInput } from './walk.js';

/** One strategy at one budget on one layer; with `error` where it failed, and what was known until then. */
export interface Measurement {
  readonly candidate: Candidate;
  readonly device: Device;
  readonly input: LayerInput;
  readonly runs: readonly Run[];
  readonly quality?: Quality | undefined;
  readonly timing?: Timing | undefined;
  readonly error?: string | undefined;
}

export interface LayerTask {
  readonly device: Device;
  readonly input: LayerInput;
  readonly candidates: readonly Candidate[];
  /** The one of them that the others are compared with. */
  readonly dense: Candidate;
  readonly runs: readonly Run[];
  readonly repetitions: number;
}

/** Called with the work done since the last call, in attended runs, and what is going on. */
export type OnWork = (runs: number, doing: string) => void;

/** How many runs {@link measureLayer} attends to in all; an audited run counts twice, as it is attended to twice. */
export function workOf({ candidates, runs, repetitions }: LayerTask): number {
  return candidates.length * (2 * runs.length + lapsOf(runs, repetitions));
}

/** Measures quality first, then times what has passed. A candidate that fails keeps its place, with its error. */
export async function measureLayer(task: LayerTask, onWork: OnWork): Promise<Measurement[]> {
  const assessed = await assessAll(task, onWork);
  const passed = assessed.filter((one): one is Assessed & { strategy: AttentionStrategy } =>
    Boolean(one.strategy && !one.error),
  );
  const timings = await time(
    task.device,
    passed.map(({ strategy }) => strategy),
    task.input,
    task.runs,
    task.repetitions,
    (i) => onWork(1, `timing ${labelOf(passed[i].candidate)}`),
  );
  const { device, input, runs } = task;
  return assessed.map((one) => {
    const timing = timings[passed.indexOf(one as (typeof passed)[number])];
    const { candidate, quality } = one;
    const measured = { candidate, device, input, runs, quality };
    if (timing instanceof Error) return { ...measured, error: messageOf(timing) };
    return { ...measured, timing, error: one.error };
  });
}

interface Assessed {
  readonly candidate: Candidate;
  readonly strategy?: AttentionStrategy;
  readonly quality?: Quality;
  readonly error?: string;
}

/** In the order of the candidates; where dense attention fails, nobody has anything to be compared with. */
async function assessAll(task: LayerTask, onWork: OnWork): Promise<Assessed[]> {
  const { candidates, dense, runs } = task;
  const assessed = new Map<Candidate, Assessed>();
  for (const candidate of new Set([dense, ...candidates])) {
    assessed.set(candidate, await assessOne(task, candidate, assessed.get(dense)));
    onWork(2 * runs.length, `auditing ${labelOf(candidate)}`);
    await setImmediate();
  }
  return candidates.map((candidate) => assessed.get(candidate)!);
}

/** @param dense what came of dense attention; undefined when this is it */
async function assessOne(
  { device, input, runs }: LayerTask,
  candidate: Candidate,
  dense: Assessed | undefined,
): Promise<Assessed> {
  if (dense?.error !== undefined) {
    return { candidate, error: `nothing to compare with: dense attention failed: ${dense.error}` };
  }
  try {
    const strategy = candidate.create();
    const quality = await assess(device, strategy, input, runs, dense?.quality?.outputs);
    return { candidate, strategy, quality };
  } catch (error) {
    return { candidate, error: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
