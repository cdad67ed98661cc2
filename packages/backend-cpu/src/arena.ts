import type { Arena, Memory } from './host.js';

/** Bytes of the chunk that is always there: descriptors and page tables of most calls fit. */
const CHUNK = 65_536;

interface Chunk {
  readonly ptr: number;
  readonly bytes: number;
}

/** An {@link Arena} of chunks: the first is kept from call to call, further ones go with the call. */
export class ChunkArena implements Arena {
  readonly #memory: Memory;
  readonly #first: Chunk;
  #more: Chunk[] = [];
  #current: Chunk;
  #at = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#first = this.#chunk(CHUNK);
    this.#current = this.#first;
  }

  i32(values: ArrayLike<number>): number {
    const ptr = this.#take(4 * values.length, 16);
    this.#memory.i32(ptr, values.length).set(values);
    return ptr;
  }

  f32(values: ArrayLike<number>): number {
    const ptr = this.#take(4 * values.length, 16);
    this.#memory.f32(ptr, values.length).set(values);
    return ptr;
  }

  f64(values: ArrayLike<number>): number {
    const ptr = this.#take(8 * values.length, 16);
    this.#memory.f64(ptr, values.length).set(values);
    return ptr;
  }

  bytes(length: number): number {
    return this.#take(length, 64);
  }

  /** All that was given out is void. */
  reset(): void {
    for (const { ptr } of this.#more) this.#memory.free(ptr);
    this.#more = [];
    this.#current = this.#first;
    this.#at = 0;
  }

  #take(bytes: number, alignment: number): number {
    const start = Math.ceil(this.#at / alignment) * alignment;
    if (start + bytes > this.#current.bytes) return this.#another(bytes);
    this.#at = start + bytes;
    return this.#current.ptr + start;
  }

  #another(bytes: number): number {
    const chunk = this.#chunk(Math.max(CHUNK, bytes));
    this.#more.push(chunk);
    // What is left of the larger one serves the rest of the call.
    if (chunk.bytes - bytes > this.#current.bytes - this.#at)
      [this.#current, this.#at] = [chunk, bytes];
    return chunk.ptr;
  }

  #chunk(bytes: number): Chunk {
    return { ptr: this.#memory.allocate(bytes), bytes };
  }
}
