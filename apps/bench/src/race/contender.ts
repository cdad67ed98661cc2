import type { ResultRow } from '../output/results.js';

/** What the row of an implementation says before it has run. */
export type Facts = Omit<ResultRow, 'suite' | 'case' | 'metrics' | 'error' | 'note'>;

/** An implementation that takes part in a case. */
export interface Contender {
  readonly facts: Facts;
  /** What tells it from others of the same facts; goes into the row's `case`. */
  readonly variant?: string | undefined;
  /** Multiplications and additions of a run, unless its laps count their own. */
  readonly flops?: number | undefined;
  /** Who computes the same, so that it must give the same: an earlier contender of its case; true: the first. */
  readonly same?: boolean | Contender | undefined;
  /** Is timed even if it does not give the same; its row says so. */
  readonly mayDiffer?: boolean | undefined;
  /** Gets ready, which is not timed; what it throws becomes the row's error. */
  start(): Promise<Runner>;
}

/** A contender that is ready. */
export interface Runner {
  /** What one must know of it; goes into the row. */
  readonly note?: string | undefined;
  run(): Promise<Lap>;
  dispose(): void | Promise<void>;
}

/** One run. */
export interface Lap {
  /** Milliseconds until the output was there; undefined: not a matter of time. */
  readonly ms: number | undefined;
  /** Absent: there is nothing to check. */
  output?(): Promise<Float32Array>;
  counts?(): Promise<Counts>;
  dispose?(): void;
}

/** What else a run says of itself. */
export interface Counts {
  readonly flops?: number | undefined;
  readonly density?: number | undefined;
  readonly bytesRead?: number | undefined;
  readonly recallMean?: number | undefined;
  readonly recallP5?: number | undefined;
  readonly peakBytes?: number | undefined;
}
