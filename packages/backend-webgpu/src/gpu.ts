import type { DType, Tensor } from '@jit-attention/core';

import type { Kernel } from './device/kernel.js';
import type { Storage } from './storage.js';

/** What a primitive is given to compute with. Everything it asks for is queued, in order, and done later. */
export interface Gpu {
  readonly limits: GPUSupportedLimits;
  /** `shader-f16` and `subgroups`, where the device was made with them. */
  readonly features: ReadonlySet<string>;
  /** Threads that run in step, at least and at most: 32 on many GPUs, 4 on software that is one. */
  readonly subgroup: readonly [least: number, most: number];
  /** A new tensor of this backend, its numbers not set. */
  make<D extends DType>(shape: readonly number[], dtype: D): Tensor<D>;
  /** Where a tensor of this backend lies. @throws {LifetimeError} `TENSOR_DISPOSED`, `BACKEND_MISMATCH` */
  storageOf(tensor: Tensor): Storage;
  /** Room for the length of the primitive, its numbers not set. */
  scratch(bytes: number): Storage;
  /** Numbers for the length of the primitive: 4-byte elements, uploaded. */
  upload(data: Int32Array | Uint32Array | Float32Array): Storage;
  /**
   * Runs a kernel on `groups` workgroups. The buffers are those that it declares, in order; `words` are its
   * `words[1]` and on. A kernel may not read a buffer that it writes to.
   */
  run(
    kernel: Kernel,
    call: { words: readonly number[]; buffers: readonly Storage[]; groups: number },
  ): void;
  /** Copies bytes (a multiple of 4) between buffers, which must be two. */
  copy(from: Storage, to: Storage, bytes?: number): void;
  /** Sets a stretch to zeros. */
  clear(storage: Storage): void;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** An f32 as a word; kernels read it by `bitcast<f32>`. */
export function floatWord(value: number): number {
  float[0] = value;
  return bits[0];
}
