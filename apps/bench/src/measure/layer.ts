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
  /** Dense first. */
  readonly candidates: readonly Candidate[];
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

async function assessAll(
  { device, input, candidates, runs }: LayerTask,
  onWork: OnWork,
): Promise<Assessed[]> {
  const all: Assessed[] = [];
  let dense: readonly Float32Array[] | undefined;
  for (const candidate of candidates) {
    try {
      const strategy = candidate.create();
      const quality = await assess(device, strategy, input, runs, dense);
      dense ??= quality.outputs;
      all.push({ candidate, strategy, quality });
    } catch (error) {
      all.push({ candidate, error: messageOf(error) });
    }
    onWork(2 * runs.length, `auditing ${labelOf(candidate)}`);
    await setImmediate();
  }
  return all;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
