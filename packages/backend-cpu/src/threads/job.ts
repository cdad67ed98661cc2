/** Words of the control block, by which the calling thread and the workers meet. */
export type ControlWord =
  /** Counts up with every piece of work; workers sleep on it. */
  | 'generation'
  /** {@link OPEN} while the work may be joined, plus the number of workers that have joined. */
  | 'gate'
  /** The kernel's number among the exported functions, its descriptor, and where the threads' scratch lies. */
  | 'kernel'
  | 'desc'
  | 'scratch'
  | 'scratchBytes'
  /** Workers whose kernel trapped. */
  | 'trapped'
  /** Not 0: workers end. */
  | 'stop';

export const CONTROL: Readonly<Record<ControlWord, number>> = {
  generation: 0,
  gate: 1,
  kernel: 2,
  desc: 3,
  scratch: 4,
  scratchBytes: 5,
  trapped: 6,
  stop: 7,
};

export const CONTROL_WORDS = 8;

/** In the gate: far above any number of workers. */
export const OPEN: number = 1 << 16;

/** What a worker is started with. */
export interface Job {
  /** From 1; the calling thread is 0. */
  readonly id: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where the control block lies in memory. */
  readonly control: number;
  /** {@link CONTROL} and {@link OPEN}: the worker's program is a text of its own and imports nothing. */
  readonly at: Readonly<Record<ControlWord, number>>;
  readonly open: number;
}

/** A worker's one message: it can take work now, or why it cannot. */
export type Started = { readonly ready: true } | { readonly ready: false; readonly reason: string };
