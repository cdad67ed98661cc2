import { setImmediate } from 'node:timers/promises';

import { median } from 'simple-statistics';

import { relativeError } from '../measure/quality.js';
import type { Contender, Counts, Lap, Runner } from './contender.js';

/** What came of a contender; with `error` where it failed, and what was known until then. */
export interface Outcome {
  readonly contender: Contender;
  /** A median. */
  readonly ms?: number | undefined;
  readonly counts?: Counts | undefined;
  /** `‖o - o_first‖ / ‖o_first‖`, of those that compute the same as the first. */
  readonly outputError?: number | undefined;
  readonly error?: string | undefined;
  readonly note?: string | undefined;
}

export interface RaceOptions {
  readonly rounds: number;
  readonly onLap?: ((share: number, contender: Contender) => void) | undefined;
}

/** A run that takes this long is timed once, in milliseconds. */
const SLOW = 10_000;
/** Who is faster than this runs several times in a row in each round. */
const SHORT = 20;
const MOST_REPEATS = 50;
/** f32 sums in another order differ by less; a wrong mask or scale by far more. */
const TOLERANCE = 1e-4;

/**
 * Runs contenders side by side. Each first runs once to be checked: its output must be finite, and that of the
 * contender that it is to be the same as. Then they take turns, round by round, so that what slows the machine down
 * slows all of them. Who fails keeps its place, with the error.
 */
export async function race(
  contenders: readonly Contender[],
  { rounds, onLap = () => undefined }: RaceOptions,
): Promise<Outcome[]> {
  const all = contenders.length * (rounds + 1);
  let done = 0;
  const report = async (contender: Contender): Promise<void> => {
    onLap(++done / all, contender);
    await setImmediate(); // lets progress be drawn, outside of what is timed
  };
  const racers: Racer[] = [];
  for (const contender of contenders) {
    const racer = new Racer(contender);
    const { same } = contender;
    const model = same === true ? racers[0] : racers.find((one) => one.contender === same);
    await racer.check(model?.output);
    racers.push(racer);
    await report(contender);
  }
  for (let round = 0; round < rounds; round++) {
    for (const racer of racers) {
      await racer.round();
      await report(racer.contender);
    }
  }
  return Promise.all(racers.map((racer) => racer.finish()));
}

class Racer {
  readonly contender: Contender;
  /** Of the run that was checked. */
  output: Float32Array | undefined;
  #runner: Runner | undefined;
  #first: number | undefined;
  #times: number[] = [];
  #counts: Counts | undefined;
  #outputError: number | undefined;
  #error: string | undefined;
  #notes: string[] = [];

  constructor(contender: Contender) {
    this.contender = contender;
  }

  async check(expected: Float32Array | undefined): Promise<void> {
    await this.#guard(async () => {
      this.#runner = await this.contender.start();
      if (this.#runner.note !== undefined) this.#notes.push(this.#runner.note);
      const lap = await this.#runner.run();
      this.#first = lap.ms;
      this.#counts = await lap.counts?.();
      this.output = await lap.output?.();
      lap.dispose?.();
      if (this.output) this.#compare(this.output, expected);
    });
  }

  async round(): Promise<void> {
    const first = this.#first;
    if (this.#error !== undefined || first === undefined || first > SLOW) return;
    const repeats = Math.min(MOST_REPEATS, Math.ceil(SHORT / first));
    await this.#guard(async () => {
      for (let i = 0; i < repeats; i++) this.#times.push(timeOf(await this.#runner!.run()));
    });
  }

  async finish(): Promise<Outcome> {
    await this.#guard(async () => this.#runner?.dispose());
    const isDone = this.#error === undefined && this.#first !== undefined;
    const slow = isDone && this.#times.length === 0;
    if (slow) this.#notes.push('timed once, in the run that was checked');
    return {
      contender: this.contender,
      ms: slow ? this.#first : this.#times.length > 0 ? median(this.#times) : undefined,
      counts: this.#counts,
      outputError: this.#outputError,
      error: this.#error,
      note: this.#notes.length > 0 ? this.#notes.join('; ') : undefined,
    };
  }

  #compare(output: Float32Array, expected: Float32Array | undefined): void {
    const wrong = output.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) throw new Error(`expected finite outputs, got ${wrong}`);
    if (!expected) return;
    this.#outputError = relativeError([output], [expected]);
    if (this.#outputError <= TOLERANCE) return;
    const error = this.#outputError.toExponential(1);
    if (this.contender.mayDiffer) {
      this.#notes.push(`its output is wrong: ${error} away from the first one's`);
      return;
    }
    throw new Error(`expected the first one's output within ${TOLERANCE}, got one ${error} away`);
  }

  /** Who has failed sits the rest out. */
  async #guard(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#error ??= messageOf(error);
      this.#times = [];
    }
  }
}

function timeOf(lap: Lap): number {
  lap.dispose?.();
  return lap.ms!;
}

/** Its first line. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0];
}
