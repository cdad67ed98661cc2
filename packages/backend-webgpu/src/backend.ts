import {
  assertData,
  assertSpec,
  type AttendRequest,
  type AttendResult,
  type Backend,
  type BlocksSelection,
  type DataOf,
  type Decoded,
  type DType,
  type Ops,
  type PoolRequest,
  type RotaryOptions,
  type SelectRequest,
  type Tensor,
  type TokensSelection,
} from '@jit-attention/core';

import { attend } from './attend/attend.js';
import type { PoolCounters } from './device/pool.js';
import { type Abilities, DeviceGpu } from './device-gpu.js';
import { failed } from './failure.js';
import { borrow } from './from-buffer.js';
import * as arrange from './ops/arrange.js';
import { decoded, encode } from './ops/convert.js';
import { copyInto } from './ops/copy-into.js';
import { hadamard } from './ops/hadamard.js';
import { linear } from './ops/linear.js';
import { merge } from './ops/merge.js';
import { norm } from './ops/norm.js';
import { pool } from './ops/pool.js';
import { quantise } from './ops/quantise.js';
import { rotary } from './ops/rotary.js';
import * as write from './ops/write.js';
import { select } from './select/select.js';
import type { WebGpuTensor } from './tensor.js';

/** The primitives on WGSL kernels. They queue work and return at once; failures of it surface at the next wait. */
export class WebGpuBackend implements Backend {
  readonly name = 'webgpu';
  readonly apiVersion = 1;
  readonly device: GPUDevice;
  readonly #gpu: DeviceGpu;
  readonly #owned: boolean;
  #disposed = false;

  /**
   * Called by `webgpu()`. `owned`: the device is destroyed with the backend. `able`: what kernels are made for, where
   * that is less than the device can do.
   */
  constructor(
    device: GPUDevice,
    { owned, able }: { owned: boolean; able?: Partial<Abilities> | undefined },
  ) {
    this.device = device;
    this.#owned = owned;
    this.#gpu = new DeviceGpu(this, device, able);
    const { verdicts } = this.#gpu;
    void device.lost.then(({ reason, message }) => {
      verdicts.end(failed(`the device was lost (${reason || 'unknown'}): ${message}`));
    });
    if (owned) {
      device.addEventListener('uncapturederror', ({ error }) => {
        verdicts.fail(failed(`error of the device: ${error.message}`, { cause: error }));
      });
    }
  }

  tensor<D extends DType = 'f32'>(
    data: DataOf<D>,
    options: { shape: readonly number[]; dtype?: D | undefined },
  ): WebGpuTensor<D> {
    const { shape, dtype = 'f32' as D } = options;
    assertSpec('tensor', shape, dtype);
    assertData(data, shape, dtype);
    return this.#gpu.perform(() => {
      const tensor = this.#gpu.make(shape, dtype);
      if (dtype === 'f32' || dtype === 'i32') this.#gpu.fill(this.#gpu.storageOf(tensor), data);
      else encode(this.#gpu, data as Float32Array, tensor);
      return tensor as WebGpuTensor<D>;
    });
  }

  zeros<D extends DType = 'f32'>(options: {
    shape: readonly number[];
    dtype?: D | undefined;
  }): WebGpuTensor<D> {
    const { shape, dtype = 'f32' as D } = options;
    assertSpec('tensor', shape, dtype);
    return this.#gpu.perform(() => {
      const tensor = this.#gpu.make(shape, dtype);
      this.#gpu.clear(this.#gpu.storageOf(tensor));
      return tensor as WebGpuTensor<D>;
    });
  }

  /**
   * A tensor over a buffer of the caller, which must have been made with usage `STORAGE` on this backend's device. It
   * is read where it lies and never written to, freed or kept: whoever owns it keeps it until the tensor is disposed
   * of, and submits what writes it before the next call here.
   *
   * @param options `shape`; `dtype` f32 by default, f16 (pairs, an even width) or i32; `offset` in bytes, 0 by default
   * @throws {InputError} `INVALID_SHAPE`, `INVALID_DTYPE`; `INVALID_OPTION` for a buffer that cannot be bound, an
   *   offset that is no multiple of the device's `minStorageBufferOffsetAlignment`, or a buffer that ends before it
   */
  fromBuffer<D extends 'f32' | 'f16' | 'i32' = 'f32'>(
    buffer: GPUBuffer,
    options: { shape: readonly number[]; dtype?: D | undefined; offset?: number | undefined },
  ): WebGpuTensor<D> {
    return this.#gpu.perform(() => borrow(this.#gpu, buffer, options));
  }

  async read(tensor: Tensor): Promise<Float32Array | Int32Array> {
    const bytes = this.#gpu.perform(() => this.#gpu.download(decoded(this.#gpu, tensor)));
    return tensor.dtype === 'i32' ? new Int32Array(await bytes) : new Float32Array(await bytes);
  }

  release(tensor: Tensor): void {
    this.#gpu.release(tensor);
  }

  submit(): void {
    this.#gpu.queue.submit();
  }

  /** Resolves when all work asked for so far is in the device's queue, where a caller's own submissions follow it. */
  async submitted(): Promise<void> {
    await this.#gpu.queue.submitted();
  }

  /** Ends everything; a device of our own is destroyed. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#gpu.queue.submitted();
    this.#gpu.verdicts.end(failed('the backend is disposed of'));
    this.#gpu.dispose();
    if (this.#owned) this.device.destroy();
  }

  memory(): { tensors: number; bytes: number } {
    return this.#gpu.held();
  }

  /** What the backend holds of the device's memory, buffers that wait to be used again included. */
  buffers(): PoolCounters {
    return this.#gpu.pool();
  }

  writeRows(target: Tensor, source: Tensor, slots: Int32Array): void {
    this.#gpu.perform(() => write.writeRows(this.#gpu, target, source, slots));
  }

  copyPages(source: Tensor, target: Tensor, from: readonly number[], to: readonly number[]): void {
    this.#gpu.perform(() => write.copyPages(this.#gpu, source, target, from, to));
  }

  copyInto(target: Tensor, source: Tensor, options: { axis: number; at: number }): void {
    this.#gpu.perform(() => copyInto(this.#gpu, target, source, options));
  }

  attend(request: AttendRequest): AttendResult {
    return this.#gpu.perform(() => attend(this.#gpu, request));
  }

  select(request: SelectRequest): BlocksSelection | TokensSelection {
    return this.#gpu.perform(() => select(this.#gpu, request));
  }

  slice(tensor: Tensor, options: { axis: number; start: number; end: number }): Tensor<'f32'> {
    return this.#gpu.perform(() => arrange.slice(this.#gpu, tensor, options));
  }

  permute(tensor: Tensor, order: readonly number[]): Tensor<'f32'> {
    return this.#gpu.perform(() => arrange.permute(this.#gpu, tensor, order));
  }

  gather<D extends DType>(
    tensor: Tensor<D>,
    picks: readonly (readonly [row: number, token: number])[],
  ): Tensor<Decoded<D>> {
    return this.#gpu.perform(() => arrange.gather(this.#gpu, tensor, picks));
  }

  merge(
    parts: Parameters<Ops['merge']>[0],
    options: Parameters<Ops['merge']>[1] = {},
  ): ReturnType<Ops['merge']> {
    return this.#gpu.perform(() => merge(this.#gpu, parts, options));
  }

  pool(request: PoolRequest): Tensor<'f32'> {
    return this.#gpu.perform(() => pool(this.#gpu, request));
  }

  linear(x: Tensor, options: Parameters<Ops['linear']>[1]): Tensor<'f32'> {
    return this.#gpu.perform(() => linear(this.#gpu, x, options));
  }

  norm(x: Tensor, options: Parameters<Ops['norm']>[1]): Tensor<'f32'> {
    return this.#gpu.perform(() => norm(this.#gpu, x, options));
  }

  rotary(x: Tensor, options: RotaryOptions): Tensor<'f32'> {
    return this.#gpu.perform(() => rotary(this.#gpu, x, options));
  }

  hadamard(x: Tensor): Tensor<'f32'> {
    return this.#gpu.perform(() => hadamard(this.#gpu, x));
  }

  quantise(x: Tensor, options: Parameters<Ops['quantise']>[1]): Tensor<'f32'> {
    return this.#gpu.perform(() => quantise(this.#gpu, x, options));
  }
}
