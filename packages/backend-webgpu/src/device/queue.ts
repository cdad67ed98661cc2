import { Batch, type Command } from './batch.js';
import type { BufferPool } from './pool.js';
import type { Verdicts } from './verdicts.js';
import { Desks } from './words.js';

/** With this many commands a batch goes even if nobody says so. */
const MOST_COMMANDS = 1024;

/**
 * Work in the order it was asked for, handed over a batch at a time. A batch goes at once, unless a kernel of it, or
 * of one before it, is still being compiled.
 */
export class Queue {
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #desks = new Desks();
  readonly #verdicts: Verdicts;
  #batch: Batch;
  /** Resolves when all batches so far are with the device; absent when they are. */
  #waiting: Promise<void> | undefined;

  constructor(device: GPUDevice, pool: BufferPool, verdicts: Verdicts) {
    this.#device = device;
    this.#pool = pool;
    this.#verdicts = verdicts;
    this.#batch = this.#fresh();
  }

  /** What the next submission is made of. @throws {BackendError} `BACKEND_FAILED` once the device is of no more use */
  get batch(): Batch {
    if (this.#verdicts.ended) throw this.#verdicts.ended;
    return this.#batch;
  }

  /**
   * Before the work of a primitive, all of which goes into one batch: what is uploaded for it lives as long as that.
   * @throws {BackendError} `BACKEND_FAILED` once the device is of no more use
   */
  begin(): void {
    if (this.batch.commands.length >= MOST_COMMANDS) this.submit();
  }

  add(command: Command): void {
    this.batch.commands.push(command);
  }

  /** A buffer that what is queued may still use. */
  releaseLater(buffer: GPUBuffer): void {
    this.#batch.releaseLater(buffer);
  }

  /** Hands over what has been queued. */
  submit(): void {
    if (this.#batch.isEmpty) return;
    const batch = this.#batch;
    this.#batch = this.#fresh();
    const { compiling } = batch;
    if (this.#waiting || compiling.length > 0) this.#handLater(batch, compiling);
    else this.#hand(batch);
  }

  /** Resolves when everything so far is in the device's own queue. */
  async submitted(): Promise<void> {
    this.submit();
    while (this.#waiting) await this.#waiting;
  }

  #fresh(): Batch {
    const { minStorageBufferOffsetAlignment: alignment } = this.#device.limits;
    return new Batch(this.#pool, this.#desks, alignment);
  }

  #handLater(batch: Batch, compiling: readonly Promise<void>[]): void {
    const waiting = this.#inTurn(batch, this.#waiting, compiling).then(() => {
      if (this.#waiting === waiting) this.#waiting = undefined;
    });
    this.#waiting = waiting;
  }

  async #inTurn(
    batch: Batch,
    turn: Promise<void> | undefined,
    compiling: readonly Promise<void>[],
  ): Promise<void> {
    await turn;
    try {
      await Promise.all(compiling);
      this.#hand(batch);
    } catch (error) {
      this.#verdicts.fail(error as Error);
      batch.release();
    }
  }

  #hand(batch: Batch): void {
    try {
      if (this.#verdicts.ended) return;
      this.#verdicts.guard(() => {
        batch.words.upload(this.#device.queue);
        this.#device.queue.submit([batch.encode(this.#device)]);
      });
    } finally {
      batch.release();
    }
  }
}
