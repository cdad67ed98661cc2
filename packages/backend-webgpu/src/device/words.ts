import type { BufferPool } from './pool.js';

/** Words of an ordinary block. */
const DESK = 16 << 10;

/** Words of an upload, however few it has: a binding holds an element at least, of up to four words. */
const LEAST = 4;

interface Block {
  readonly buffer: GPUBuffer;
  readonly data: Uint32Array;
  /** Words in use. */
  used: number;
}

/** Where numbers of a call lie once they are uploaded. */
export interface Uploaded {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** Where words are gathered before they are uploaded: zeroing fresh memory for every submission would cost more. */
export class Desks {
  readonly #free: Uint32Array[] = [];

  take(words: number): Uint32Array {
    const desk = words <= DESK ? this.#free.pop() : undefined;
    return desk ?? new Uint32Array(Math.max(DESK, words));
  }

  give(desk: Uint32Array): void {
    if (desk.length === DESK) this.#free.push(desk);
  }
}

/** The small numbers of a submission (descriptors, page tables, lists), gathered and uploaded at once. */
export class Words {
  readonly #pool: BufferPool;
  readonly #desks: Desks;
  readonly #alignment: number;
  readonly #blocks: Block[] = [];

  /** `alignment`: bytes, of where a binding may begin. */
  constructor(pool: BufferPool, desks: Desks, alignment: number) {
    this.#pool = pool;
    this.#desks = desks;
    this.#alignment = alignment / 4;
  }

  add(data: ArrayLike<number> & { readonly buffer?: ArrayBufferLike }): Uploaded {
    const length = Math.max(LEAST, data.length);
    const block = this.#blockFor(length);
    const at = block.used;
    const view = block.data.subarray(at, at + data.length);
    if (data instanceof Float32Array)
      new Float32Array(view.buffer, view.byteOffset, data.length).set(data);
    else view.set(data);
    block.used = Math.ceil((at + length) / this.#alignment) * this.#alignment;
    return { buffer: block.buffer, offset: 4 * at, bytes: 4 * length };
  }

  /** Uploads what was gathered; what was submitted before still reads what it was given. */
  upload(queue: GPUQueue): void {
    for (const { buffer, data, used } of this.#blocks) {
      const words = Math.min(used, data.length);
      queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, 4 * words);
    }
  }

  /** Gives the buffers back to the pool. */
  release(): void {
    for (const { buffer, data } of this.#blocks) {
      this.#pool.give(buffer);
      this.#desks.give(data);
    }
    this.#blocks.length = 0;
  }

  #blockFor(length: number): Block {
    const last = this.#blocks.at(-1);
    if (last && last.used + length <= last.data.length) return last;
    const data = this.#desks.take(length);
    const block = { buffer: this.#pool.take(data.byteLength), data, used: 0 };
    this.#blocks.push(block);
    return block;
  }
}
