import { type Backend, type DType, LifetimeError, type Tensor } from '@jit-attention/core';

import type { Kernel } from './device/kernel.js';
import { Pipelines } from './device/pipelines.js';
import { BufferPool, type PoolCounters } from './device/pool.js';
import { Queue } from './device/queue.js';
import { Verdicts } from './device/verdicts.js';
import { COPY_DST, MAP_READ } from './device/usage.js';
import { exceeds, failed } from './failure.js';
import type { Gpu } from './gpu.js';
import { type Storage, storageBytes } from './storage.js';
import { WebGpuTensor } from './tensor.js';

/** What kernels are made for. */
export type Abilities = Pick<Gpu, 'limits' | 'features' | 'subgroup'>;

function abilitiesOf({ limits, features, adapterInfo }: GPUDevice): Abilities {
  // What WebGPU says where nothing is known: 4 to 128.
  const { subgroupMinSize = 4, subgroupMaxSize = 128 } = adapterInfo ?? {};
  return { limits, features, subgroup: [subgroupMinSize, subgroupMaxSize] };
}

/** One device, its memory and its queue, as the primitives see them. */
export class DeviceGpu implements Gpu {
  readonly limits: GPUSupportedLimits;
  readonly features: ReadonlySet<string>;
  readonly subgroup: readonly [least: number, most: number];
  readonly queue: Queue;
  readonly verdicts: Verdicts;
  readonly #backend: Backend;
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #pipelines: Pipelines;
  readonly #live = new Map<Tensor, Storage>();
  /** Tensors over buffers of somebody else. */
  readonly #borrowed = new Set<Tensor>();
  /** Made by the call that runs. */
  readonly #made: Tensor[] = [];
  readonly #scratch: GPUBuffer[] = [];

  constructor(backend: Backend, device: GPUDevice, able: Partial<Abilities> = {}) {
    this.#backend = backend;
    this.#device = device;
    const { limits, features, subgroup } = { ...abilitiesOf(device), ...able };
    this.limits = limits;
    this.features = features;
    this.subgroup = subgroup;
    this.verdicts = new Verdicts(device);
    this.#pool = new BufferPool(device, (make) => this.verdicts.guard(make));
    this.#pipelines = Pipelines.of(device);
    this.queue = new Queue(device, this.#pool, this.verdicts);
  }

  /** Runs one primitive: what it took as scratch goes when it ends, and its tensors too when it fails. */
  perform<T>(primitive: () => T): T {
    this.#made.length = 0;
    try {
      this.queue.begin();
      return primitive();
    } catch (error) {
      for (const tensor of this.#made) tensor.dispose();
      throw error;
    } finally {
      for (const buffer of this.#scratch) this.queue.releaseLater(buffer);
      this.#scratch.length = 0;
    }
  }

  make<D extends DType>(shape: readonly number[], dtype: D): Tensor<D> {
    const bytes = storageBytes(shape, dtype);
    const buffer = this.#take(bytes);
    return this.adopt(shape, dtype, { buffer, offset: 0, bytes });
  }

  /** A tensor over a stretch of a buffer; `borrowed`: the buffer is not ours to use again. */
  adopt<D extends DType>(
    shape: readonly number[],
    dtype: D,
    storage: Storage,
    borrowed = false,
  ): WebGpuTensor<D> {
    const tensor = new WebGpuTensor(this.#backend, { shape, dtype }, storage);
    this.#live.set(tensor, storage);
    if (borrowed) this.#borrowed.add(tensor);
    this.#made.push(tensor);
    return tensor;
  }

  storageOf(tensor: Tensor): Storage {
    const storage = tensor.storage as Storage;
    if (this.#live.has(tensor)) return storage;
    throw new LifetimeError('webgpu: expected a tensor of this backend, got one of another', {
      code: 'BACKEND_MISMATCH',
      hint: 'read it with data() and make it anew here',
    });
  }

  release(tensor: Tensor): void {
    const storage = this.#live.get(tensor);
    if (!storage) return;
    this.#live.delete(tensor);
    if (!this.#borrowed.delete(tensor)) this.queue.releaseLater(storage.buffer);
  }

  scratch(bytes: number): Storage {
    const buffer = this.#take(bytes);
    this.#scratch.push(buffer);
    return { buffer, offset: 0, bytes };
  }

  upload(data: Int32Array | Uint32Array | Float32Array): Storage {
    return this.queue.batch.words.add(data);
  }

  run(
    kernel: Kernel,
    {
      words,
      buffers,
      groups,
    }: { words: readonly number[]; buffers: readonly Storage[]; groups: number },
  ): void {
    if (groups === 0) return;
    for (const { bytes } of buffers) this.#assertBindable(bytes);
    const own = this.upload(Int32Array.from([groups, ...words]));
    this.queue.add({
      kind: 'dispatch',
      name: kernel.name,
      pipeline: this.#pipelines.of(kernel),
      buffers: [own, ...buffers],
      workgroups: this.#fold(groups),
    });
  }

  copy(from: Storage, to: Storage, bytes: number = Math.min(from.bytes, to.bytes)): void {
    if (bytes > 0) this.queue.add({ kind: 'copy', from, to, bytes });
  }

  clear(at: Storage): void {
    if (at.bytes > 0) this.queue.add({ kind: 'clear', at });
  }

  /** Puts numbers into a tensor that nothing has been queued for yet. */
  fill({ buffer, offset }: Storage, data: Float32Array | Int32Array): void {
    if (data.length === 0) return;
    const { buffer: source, byteOffset, byteLength } = data;
    this.verdicts.guard(() =>
      this.#device.queue.writeBuffer(buffer, offset, source as ArrayBuffer, byteOffset, byteLength),
    );
  }

  /** Waits for everything so far, and copies a stretch out. */
  async download(from: Storage): Promise<ArrayBuffer> {
    if (from.bytes === 0) {
      await this.judged();
      return new ArrayBuffer(0);
    }
    const size = from.bytes;
    const staging = this.verdicts.guard(() =>
      this.#device.createBuffer({ label: 'read', size, usage: MAP_READ | COPY_DST }),
    );
    try {
      this.copy(from, { buffer: staging, offset: 0, bytes: size });
      await this.queue.submitted();
      const mapped = this.verdicts
        .guard(() => staging.mapAsync(MAP_READ))
        .catch((cause: unknown) => failed('cannot read back', { cause }));
      await this.judged();
      const failure = await mapped;
      if (failure) throw failure;
      return staging.getMappedRange().slice(0);
    } finally {
      staging.destroy();
    }
  }

  /** Resolves when the device has judged everything so far. @throws {BackendError} `BACKEND_FAILED` */
  async judged(): Promise<void> {
    await this.queue.submitted();
    await this.verdicts.all();
  }

  /** Live tensors and their bytes as stored. */
  held(): { tensors: number; bytes: number } {
    let bytes = 0;
    for (const tensor of this.#live.keys()) bytes += tensor.bytes;
    return { tensors: this.#live.size, bytes };
  }

  pool(): PoolCounters {
    return this.#pool.counters();
  }

  dispose(): void {
    this.#pool.dispose();
    this.#live.clear();
    this.#borrowed.clear();
  }

  #take(bytes: number): GPUBuffer {
    return this.#pool.take(Math.max(4, bytes));
  }

  #assertBindable(bytes: number): void {
    const { maxStorageBufferBindingSize: most } = this.limits;
    if (bytes > most) throw exceeds('maxStorageBufferBindingSize', bytes, most);
  }

  #fold(groups: number): [x: number, y: number] {
    const { maxComputeWorkgroupsPerDimension: most } = this.limits;
    if (groups <= most) return [groups, 1];
    const rows = Math.ceil(groups / most);
    if (rows > most) throw exceeds('maxComputeWorkgroupsPerDimension', rows, most);
    return [Math.ceil(groups / rows), rows];
  }
}
