import { BackendError } from '@jit-attention/core';

import { Blocks } from './blocks.js';
import type { Memory } from './host.js';

/** Bytes of a page of WASM memory. */
const PAGE = 65_536;
/** What 32-bit addresses reach; the kernels are compiled for it. */
const MAXIMUM = 65_536;
/** Grown by at least this much: 1 MiB. */
const STEP = 16;

/** `shared`: for threads. Address space for 4 GiB is reserved, and used as it is needed. */
export function createMemory(shared: boolean): WebAssembly.Memory {
  return attempt('no memory to begin with', () => {
    return new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM, shared });
  });
}

/** The WASM memory as {@link Memory}: blocks on top of `base`, growing when none fits. */
export class WasmMemory implements Memory {
  readonly #memory: WebAssembly.Memory;
  readonly #blocks: Blocks;

  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory;
    this.#blocks = new Blocks(base);
  }

  get used(): number {
    return this.#blocks.used;
  }

  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  allocate(bytes: number): number {
    const ptr = this.#blocks.take(bytes);
    try {
      this.#reach(this.#blocks.top);
    } catch (error) {
      this.#blocks.give(ptr);
      throw error;
    }
    return ptr;
  }

  free(ptr: number): void {
    this.#blocks.give(ptr);
  }

  i8(ptr: number, length: number): Int8Array {
    return new Int8Array(this.#memory.buffer, ptr, length);
  }

  u8(ptr: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, ptr, length);
  }

  i32(ptr: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, ptr, length);
  }

  f32(ptr: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, ptr, length);
  }

  f64(ptr: number, length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, ptr, length);
  }

  /** Grows until `end` lies inside: by no more than asked, as large tensors must not double their cost. */
  #reach(end: number): void {
    const [have, want] = [this.size / PAGE, Math.ceil(end / PAGE)];
    if (want <= have) return;
    const pages = Math.min(Math.max(want, have + STEP), Math.max(want, MAXIMUM));
    attempt(`no memory for ${end} bytes (${this.used} in use)`, () =>
      this.#memory.grow(pages - have),
    );
  }
}

function attempt<T>(what: string, allocate: () => T): T {
  try {
    return allocate();
  } catch (cause) {
    throw new BackendError(`cpu: ${what}`, {
      code: 'BACKEND_FAILED',
      hint: 'dispose of tensors, or of whole backends; WASM memory ends at 4 GiB',
      cause,
    });
  }
}
