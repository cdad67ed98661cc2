import { failed } from '../failure.js';

const SCOPES = ['internal', 'out-of-memory', 'validation'] as const;

/**
 * What the device has to say about what it was given, a moment later.
 *
 * A failure is told to the next who waits, once. A device that is lost, or has no memory left, is the end: all that
 * comes later fails with the same error.
 */
export class Verdicts {
  readonly #device: GPUDevice;
  readonly #open = new Set<Promise<void>>();
  #failure: Error | undefined;
  #end: Error | undefined;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** What everything fails with, once the device is of no more use. */
  get ended(): Error | undefined {
    return this.#end;
  }

  end(error: Error): void {
    this.#end ??= error;
  }

  /** A failure of queued work. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /** Runs what makes or submits objects of the device, and has it judged. */
  guard<T>(make: () => T): T {
    for (const scope of SCOPES) this.#device.pushErrorScope(scope);
    try {
      return make();
    } finally {
      const scopes = [...SCOPES].reverse().map((scope) => this.#pop(scope));
      const verdict = Promise.all(scopes).then(() => void this.#open.delete(verdict));
      this.#open.add(verdict);
    }
  }

  /** Resolves when all is judged. @throws {BackendError} `BACKEND_FAILED`, the first failure since the last wait */
  async all(): Promise<void> {
    await Promise.all(this.#open);
    const failure = this.#end ?? this.#failure;
    this.#failure = undefined;
    if (failure) throw failure;
  }

  async #pop(scope: GPUErrorFilter): Promise<void> {
    // The scopes of a lost device are gone with it; its loss is told elsewhere.
    const error = await this.#device.popErrorScope().catch(() => null);
    if (!error) return;
    const failure = failed(`${scope} error: ${error.message}`, { cause: error });
    if (scope === 'out-of-memory') this.end(failure);
    else this.fail(failure);
  }
}
