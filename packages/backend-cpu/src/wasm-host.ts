import {
  type Backend,
  type DType,
  LifetimeError,
  rowBytes,
  sizeOf,
  Tensor,
} from '@jit-attention/core';

import { ChunkArena } from './arena.js';
import { failed } from './failure.js';
import type { Host, Storage } from './host.js';
import type { Kernels } from './kernels.js';
import type { WasmMemory } from './memory.js';
import type { ThreadPool } from './threads/pool.js';

const LINE = 64;

/** Memory, threads and kernels of one backend, as the primitives see them. */
export class WasmHost implements Host {
  readonly memory: WasmMemory;
  readonly arena: ChunkArena;
  readonly threads: number;
  readonly #backend: Backend;
  readonly #kernels: Kernels;
  readonly #pool: ThreadPool | undefined;
  readonly #live = new Map<Tensor, Storage>();
  /** Made by the call that runs. */
  readonly #made: Tensor[] = [];
  #scratch = { ptr: 0, bytes: 0 };

  constructor(backend: Backend, memory: WasmMemory, kernels: Kernels, pool?: ThreadPool) {
    this.#backend = backend;
    this.memory = memory;
    this.arena = new ChunkArena(memory);
    this.threads = 1 + (pool?.threads.length ?? 0);
    this.#kernels = kernels;
    this.#pool = pool;
  }

  /** Runs one primitive: what it took from the arena goes when it ends, and its tensors too when it fails. */
  perform<T>(primitive: () => T): T {
    this.#made.length = 0;
    try {
      return primitive();
    } catch (error) {
      for (const tensor of this.#made) tensor.dispose();
      throw error;
    } finally {
      this.arena.reset();
    }
  }

  make<D extends DType>(shape: readonly number[], dtype: D): Tensor<D> {
    const width = shape.at(-1) ?? 1;
    const bytes = width === 0 ? 0 : (sizeOf(shape) / width) * rowBytes(dtype, width);
    const storage: Storage = { ptr: this.memory.allocate(bytes), bytes };
    const tensor = new Tensor(this.#backend, { shape, dtype }, storage);
    this.#live.set(tensor, storage);
    this.#made.push(tensor);
    return tensor;
  }

  pointerOf(tensor: Tensor): number {
    const { ptr } = tensor.storage as Storage;
    if (this.#live.has(tensor)) return ptr;
    throw new LifetimeError('cpu: expected a tensor of this backend, got one of another', {
      code: 'BACKEND_MISMATCH',
      hint: 'read it with data() and make it anew here',
    });
  }

  release(tensor: Tensor): void {
    const storage = this.#live.get(tensor);
    if (!storage) return;
    this.#live.delete(tensor);
    this.memory.free(storage.ptr);
  }

  /** Live tensors and their bytes. */
  held(): { tensors: number; bytes: number } {
    let bytes = 0;
    for (const storage of this.#live.values()) bytes += storage.bytes;
    return { tensors: this.#live.size, bytes };
  }

  run(kernel: string, desc: number, scratchBytes = 0): void {
    const run = this.#kernels.functions.get(kernel)!;
    const words = this.memory.i32(desc, 2);
    words[0] = 0;
    const alone = !this.#pool || words[1] <= 1;
    const bytes = Math.ceil(scratchBytes / LINE) * LINE;
    const scratch = this.#reserve(bytes * (alone ? 1 : this.threads));
    const own = (): void => guarded(kernel, () => run(desc, scratch));
    if (alone) return own();
    const number = this.#kernels.numbers.get(kernel)!;
    this.#pool.run({ kernel: number, desc, scratch, scratchBytes: bytes }, own);
  }

  call(name: string, ...values: readonly number[]): number {
    return this.#kernels.functions.get(name)!(...values);
  }

  async dispose(): Promise<void> {
    await this.#pool?.dispose();
  }

  /** Scratch stays from call to call, as large as it has ever been needed. */
  #reserve(bytes: number): number {
    if (bytes > this.#scratch.bytes) {
      this.memory.free(this.#scratch.ptr);
      this.#scratch = { ptr: 0, bytes: 0 };
      this.#scratch = { ptr: this.memory.allocate(bytes), bytes };
    }
    return this.#scratch.ptr;
  }
}

function guarded(kernel: string, run: () => void): void {
  try {
    run();
  } catch (cause) {
    throw failed(`kernel ${kernel} trapped`, cause);
  }
}
