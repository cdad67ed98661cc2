import { setImmediate } from 'node:timers/promises';

import type { AttentionStrategy } from '@jit-attention/core';
import { median, sum } from 'simple-statistics';

import type { Device } from '../backends.js';
import type { Run } from './runs.js';
import { type LayerInput, type RunTensors, uploadRun, Walk } from './walk.js';

/** How long a strategy takes for the measured queries of a layer. */
export interface Timing {
  /** For all runs: the median over repetitions. */
  readonly ms: number;
  /** For each run: the median over repetitions. */
  readonly runs: readonly number[];
}

/**
 * Times strategies side by side: run by run and repetition by repetition they take turns, so that what slows the
 * machine down slows all of them. Each first goes once untimed, and another one starts each turn, so that nobody
 * pays for code that is not compiled yet or gains from its place. Timed is one call on tensors that lie on the
 * backend, its index update and its result's way back included.
 *
 * @param onTimed called after each lap, {@link lapsOf} times for each strategy
 * @returns a timing, or what was thrown, for each strategy
 */
export async function time(
  device: Device,
  strategies: readonly AttentionStrategy[],
  input: LayerInput,
  runs: readonly Run[],
  repetitions: number,
  onTimed: (strategy: number) => void = () => undefined,
): Promise<(Timing | Error)[]> {
  const racers = strategies.map((strategy) => new Racer(device, strategy, input));
  const takeTurns = async (first: number, go: (racer: Racer) => Promise<void>): Promise<void> => {
    for (let place = 0; place < racers.length; place++) {
      const i = (first + place) % racers.length;
      await go(racers[i]);
      onTimed(i);
      await setImmediate(); // lets progress be drawn, outside of what is timed
    }
  };
  for (const [i, run] of runs.entries()) {
    const tensors = uploadRun(device.backend, input, run);
    for (const racer of racers) await racer.start(run);
    if (i === 0) await takeTurns(0, (racer) => racer.warmUp(run, tensors));
    for (let repetition = 0; repetition < repetitions; repetition++) {
      await takeTurns(i * repetitions + repetition, (racer) => racer.lap(run, tensors));
    }
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
  return racers.map((racer) => racer.finish());
}

/** How often {@link time} runs a strategy. */
export function lapsOf(runs: readonly Run[], repetitions: number): number {
  return 1 + runs.length * repetitions;
}

class Racer {
  readonly #walk: Walk | undefined;
  /** `[runs][repetitions]` */
  readonly #laps: number[][] = [];
  #error: Error | undefined;

  constructor(device: Device, strategy: AttentionStrategy, input: LayerInput) {
    try {
      this.#walk = new Walk(device.backend, strategy, input);
    } catch (error) {
      this.#error = error as Error;
    }
  }

  async start(run: Run): Promise<void> {
    await this.#guard((walk) => walk.advance(run.start));
    this.#laps.push([]);
  }

  async warmUp(run: Run, tensors: RunTensors): Promise<void> {
    await this.#guard(async (walk) => void (await timeOf(walk, run, tensors)));
  }

  async lap(run: Run, tensors: RunTensors): Promise<void> {
    await this.#guard(async (walk) => {
      this.#laps.at(-1)!.push(await timeOf(walk, run, tensors));
    });
  }

  finish(): Timing | Error {
    this.#walk?.dispose();
    if (this.#error) return this.#error;
    const totals = this.#laps[0].map((_, repetition) =>
      sum(this.#laps.map((run) => run[repetition])),
    );
    return { ms: median(totals), runs: this.#laps.map((laps) => median(laps)) };
  }

  /** A strategy that has failed sits the rest out. */
  async #guard(act: (walk: Walk) => Promise<void>): Promise<void> {
    if (this.#error || !this.#walk) return;
    try {
      await act(this.#walk);
    } catch (error) {
      this.#error = error as Error;
    }
  }
}

/** Milliseconds until the output is there. */
async function timeOf(walk: Walk, run: Run, tensors: RunTensors): Promise<number> {
  walk.rewind(run);
  const before = performance.now();
  const result = await walk.attendTo(tensors);
  await result.output.data();
  const ms = performance.now() - before;
  result.dispose();
  return ms;
}
