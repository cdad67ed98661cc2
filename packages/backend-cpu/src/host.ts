import type { DType, Tensor } from '@jit-attention/core';

/** What a tensor's `storage` is here: where its numbers lie in WASM memory. */
export interface Storage {
  readonly ptr: number;
  readonly bytes: number;
}

/**
 * The WASM memory, given out in blocks. A view is good until the next allocation: growing replaces the buffer.
 */
export interface Memory {
  /** Uninitialised, 64-byte aligned. @throws {BackendError} `BACKEND_FAILED` when there is no more */
  allocate(bytes: number): number;
  free(ptr: number): void;
  i8(ptr: number, length: number): Int8Array;
  u8(ptr: number, length: number): Uint8Array;
  i32(ptr: number, length: number): Int32Array;
  f32(ptr: number, length: number): Float32Array;
  f64(ptr: number, length: number): Float64Array;
  /** Bytes given out, and bytes of the WASM memory as a whole. */
  readonly used: number;
  readonly size: number;
}

/** Memory for the length of one primitive call: descriptors, page tables, lists. Pointers stay good as it grows. */
export interface Arena {
  /** Copies numbers in, 16-byte aligned. */
  i32(values: ArrayLike<number>): number;
  f32(values: ArrayLike<number>): number;
  f64(values: ArrayLike<number>): number;
  /** Uninitialised bytes, 64-byte aligned. */
  bytes(length: number): number;
}

/** What a primitive is given to compute with. */
export interface Host {
  readonly memory: Memory;
  /** Emptied before each primitive call. */
  readonly arena: Arena;
  /** Threads that take part in {@link Host.run}, the calling one included. */
  readonly threads: number;
  /** A new tensor of this backend, its numbers not set. */
  make<D extends DType>(shape: readonly number[], dtype: D): Tensor<D>;
  /** Where the numbers of a tensor of this backend lie. @throws {LifetimeError} `TENSOR_DISPOSED` */
  pointerOf(tensor: Tensor): number;
  /**
   * Runs an exported kernel `name(desc, scratch)` on all threads until the tasks of the descriptor are done. Its
   * first two i32 are `next` (set to 0 here) and `total`; a kernel takes tasks by `atomic.add<i32>(desc, 1)`.
   * Each thread has `scratchBytes` of its own, uninitialised, 64-byte aligned. One task runs on the caller alone.
   *
   * @throws {BackendError} `BACKEND_FAILED` when a kernel traps or a thread does not answer
   */
  run(kernel: string, desc: number, scratchBytes?: number): void;
  /** Calls any other exported function on the calling thread, for the number it returns. */
  call(name: string, ...values: readonly number[]): number;
}
