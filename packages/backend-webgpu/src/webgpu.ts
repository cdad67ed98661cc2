import { assertKnown, inputError } from '@jit-attention/core';

import { findAdapter, openDevice } from './adapter.js';
import { WebGpuBackend } from './backend.js';

export interface WebGpuOptions {
  /**
   * A device that the caller has already, so that tensors can be shared with what else runs on it. It is never
   * destroyed here. Default: one of our own, with the largest limits that the adapter has.
   */
  readonly device?: GPUDevice | undefined;
  /** Where to make a device of our own. Default: the host's high-performance adapter. */
  readonly adapter?: GPUAdapter | undefined;
}

/**
 * The WebGPU backend: WGSL kernels, in browsers (`navigator.gpu`) and in Node (the optional package `webgpu`).
 *
 * Primitives queue their work and return at once; only `tensor.data()` waits. The kernels of a chunk of queries,
 * planning included, go to the device in one submission, and what a strategy selects never leaves it.
 *
 * @throws {InputError} `INVALID_OPTION`
 * @throws {BackendError} `BACKEND_FAILED` when there is no adapter or no device; later, from `tensor.data()`, what the
 *   device reports: validation, memory, loss
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<WebGpuBackend> {
  assertKnown('webgpu', options, ['device', 'adapter']);
  const { device, adapter } = options;
  if (device && adapter) {
    throw inputError('webgpu', 'a device or an adapter', 'both', { hint: 'pass one of them' });
  }
  if (device) return new WebGpuBackend(device, { owned: false });
  return new WebGpuBackend(await openDevice(adapter ?? (await findAdapter())), { owned: true });
}
