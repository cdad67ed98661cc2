import { failed } from '../failure.js';
import { CONTROL, CONTROL_WORDS, type Job, OPEN } from './job.js';
import { spawn, type Thread } from './spawn.js';

/** Milliseconds that the last tasks of a kernel may take. They are a few milliseconds each; the machine may be busy. */
const PATIENCE = 30_000;
/** ... and that a worker may take to start. */
const START = 30_000;

/** One piece of work: a kernel by its number among the exported functions. */
export interface Work {
  readonly kernel: number;
  readonly desc: number;
  /** Thread `i` has `scratchBytes` from `scratch + i * scratchBytes` on. */
  readonly scratch: number;
  readonly scratchBytes: number;
}

/**
 * Worker threads that sleep until there is work and join it while it lasts. The calling thread opens a gate, works
 * itself, closes the gate when no task is left, and waits for those inside: a worker that is late, or asleep, is
 * not waited for.
 */
export class ThreadPool {
  readonly #words: Int32Array;
  readonly #patience: number;
  readonly #threads: Thread[];
  #failure: string | undefined;

  /**
   * Starts workers and waits until all are ready. `control`: {@link CONTROL_WORDS} words of shared memory.
   * @throws {BackendError} `BACKEND_FAILED`
   */
  static async start(
    workers: number,
    site: Pick<Job, 'module' | 'memory' | 'control'>,
    patience: number = PATIENCE,
  ): Promise<ThreadPool> {
    const pool = new ThreadPool(site, patience);
    const jobs = Array.from({ length: workers }, (_, i): Job => ({
      ...site,
      id: i + 1,
      at: CONTROL,
      open: OPEN,
    }));
    try {
      await Promise.all(jobs.map((job) => pool.#spawn(job)));
    } catch (error) {
      await pool.dispose();
      throw error;
    }
    return pool;
  }

  private constructor({ memory, control }: Pick<Job, 'memory' | 'control'>, patience: number) {
    this.#words = new Int32Array(memory.buffer, control, CONTROL_WORDS).fill(0);
    this.#patience = patience;
    this.#threads = [];
  }

  /** The workers; the calling thread is not among them. */
  get threads(): readonly Thread[] {
    return this.#threads;
  }

  /**
   * Has the workers help with `work` while `own`, the calling thread's part of it, runs.
   * @throws {BackendError} `BACKEND_FAILED` when a worker has died, its kernel trapped, or it does not come back
   */
  run({ kernel, desc, scratch, scratchBytes }: Work, own: () => void): void {
    this.#assertWell();
    const words = this.#words;
    words[CONTROL.kernel] = kernel;
    words[CONTROL.desc] = desc;
    words[CONTROL.scratch] = scratch;
    words[CONTROL.scratchBytes] = scratchBytes;
    Atomics.store(words, CONTROL.trapped, 0);
    Atomics.store(words, CONTROL.gate, OPEN);
    this.#wake();
    try {
      own();
    } finally {
      this.#close();
    }
    const trapped = Atomics.load(words, CONTROL.trapped);
    if (trapped > 0) throw failed(`a kernel trapped in ${trapped} of the worker threads`);
  }

  /** Ends the workers; waits for them where the host tells. */
  async dispose(): Promise<void> {
    this.#failure ??= 'the backend is disposed of';
    Atomics.store(this.#words, CONTROL.stop, 1);
    this.#wake();
    await Promise.all(this.#threads.map(async (thread) => thread.terminate()));
  }

  #wake(): void {
    Atomics.add(this.#words, CONTROL.generation, 1);
    Atomics.notify(this.#words, CONTROL.generation);
  }

  /** Lets nobody in any more, and spins until those inside have left: a browser's main thread may not sleep. */
  #close(): void {
    const words = this.#words;
    Atomics.and(words, CONTROL.gate, ~OPEN);
    const deadline = performance.now() + this.#patience;
    for (let spin = 1; Atomics.load(words, CONTROL.gate) !== 0; spin++) {
      if (spin % 4096 !== 0 || performance.now() < deadline) continue;
      this.#failure = `a worker thread has not answered for ${this.#patience} ms`;
      this.#assertWell();
    }
  }

  #spawn(job: Job): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        this.#failure ??= `worker thread ${job.id} died (${reason})`;
        reject(failed(this.#failure));
      };
      const timer = setTimeout(() => fail('it did not start'), START);
      const thread = spawn(job, {
        started: (message) => {
          clearTimeout(timer);
          if (!message.ready) return fail(message.reason);
          thread.unref();
          resolve();
        },
        ended: (reason) => {
          clearTimeout(timer);
          fail(reason);
        },
      });
      this.#threads.push(thread);
    });
  }

  #assertWell(): void {
    if (this.#failure) throw failed(this.#failure);
  }
}
