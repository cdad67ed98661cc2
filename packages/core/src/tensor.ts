import type { Backend } from './backend.js';
import { type DataOf, type DType, rowBytes } from './dtype.js';
import { LifetimeError } from './errors.js';

/** As for errors: a backend may bring a copy of core of its own. */
const BRAND = Symbol.for('jit-attention.tensor');

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/**
 * A handle to an array that a backend owns.
 *
 * It is given out before the work behind it is done; only {@link Tensor.data} waits. Whoever made it disposes
 * of it; functions that take a tensor never keep, change or free it.
 */
export class Tensor<D extends DType = DType> {
  readonly backend: Backend;
  readonly dtype: D;
  readonly shape: readonly number[];
  #storage: unknown;
  #disposed = false;

  /** Called by backends only; users call `backend.tensor`. `storage` is the backend's own business. */
  constructor(backend: Backend, spec: { shape: readonly number[]; dtype: D }, storage: unknown) {
    this.backend = backend;
    this.dtype = spec.dtype;
    this.shape = [...spec.shape];
    this.#storage = storage;
    Object.defineProperty(this, BRAND, { value: true });
    // Hosts without explicit resource management have no such symbol.
    const symbol = (Symbol as { dispose?: symbol }).dispose;
    if (symbol) Object.defineProperty(this, symbol, { value: () => this.dispose() });
  }

  /** True for tensors, whichever copy of core made them. */
  static is(value: unknown): value is Tensor {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  /** Bytes as stored. */
  get bytes(): number {
    const width = this.shape.at(-1) ?? 1;
    return width === 0 ? 0 : (this.size / width) * rowBytes(this.dtype, width);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * The backend's storage.
   * @throws {LifetimeError} `TENSOR_DISPOSED`
   */
  get storage(): unknown {
    if (this.#disposed) {
      throw new LifetimeError(
        `tensor [${this.shape.join(', ')}] of ${this.backend.name} is used after dispose()`,
        {
          code: 'TENSOR_DISPOSED',
          expected: 'a live tensor',
          actual: 'a disposed one',
          hint: 'keep the tensor (or retain the plan it belongs to) until its last use',
        },
      );
    }
    return this.#storage;
  }

  /**
   * Waits for the work behind the tensor and copies its elements out, row-major; `f16` and `i8` are decoded.
   * @throws {LifetimeError} `TENSOR_DISPOSED`
   * @throws {BackendError} when the work that makes the tensor failed
   */
  async data(): Promise<DataOf<D>> {
    return (await this.backend.read(this)) as DataOf<D>;
  }

  /** Frees the storage; a second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.backend.release(this);
    this.#disposed = true;
    this.#storage = undefined;
  }
}
