/** Bytes between two places where a block may begin: a cache line, and more than any vector. */
const LINE = 64;

interface Block {
  ptr: number;
  bytes: number;
}

/**
 * Which parts of the memory are given out: the bookkeeping of an allocator, on the host's side. The smallest free
 * block that fits is taken; neighbours that are free melt together; what is free at the end is no longer a block.
 */
export class Blocks {
  readonly #taken = new Map<number, number>();
  /** By address; no two touch each other or the top. */
  readonly #free: Block[] = [];
  #top: number;
  #used = 0;

  constructor(base: number) {
    this.#top = align(base);
  }

  /** Where memory that was never given out, or was given back, begins for good. */
  get top(): number {
    return this.#top;
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): number {
    const size = align(Math.max(1, bytes));
    const ptr = this.#fromFree(size) ?? this.#fromTop(size);
    this.#taken.set(ptr, size);
    this.#used += size;
    return ptr;
  }

  /** A pointer that is not taken is left alone. */
  give(ptr: number): void {
    const bytes = this.#taken.get(ptr);
    if (bytes === undefined) return;
    this.#taken.delete(ptr);
    this.#used -= bytes;
    const after = this.#firstAfter(ptr);
    this.#free.splice(after, 0, { ptr, bytes });
    this.#melt(after);
    if (after > 0) this.#melt(after - 1);
    this.#lowerTop();
  }

  #fromTop(size: number): number {
    const ptr = this.#top;
    this.#top += size;
    return ptr;
  }

  #fromFree(size: number): number | undefined {
    let best = -1;
    for (const [i, { bytes }] of this.#free.entries()) {
      if (bytes >= size && (best < 0 || bytes < this.#free[best].bytes)) best = i;
    }
    if (best < 0) return undefined;
    const block = this.#free[best];
    const { ptr } = block;
    block.ptr += size;
    block.bytes -= size;
    if (block.bytes === 0) this.#free.splice(best, 1);
    return ptr;
  }

  /** The first free block behind an address. */
  #firstAfter(ptr: number): number {
    let [low, high] = [0, this.#free.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#free[middle].ptr < ptr) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Joins a free block with the next where they touch. */
  #melt(i: number): void {
    const [block, next] = [this.#free[i], this.#free[i + 1]];
    if (!next || block.ptr + block.bytes !== next.ptr) return;
    block.bytes += next.bytes;
    this.#free.splice(i + 1, 1);
  }

  #lowerTop(): void {
    const last = this.#free.at(-1);
    if (!last || last.ptr + last.bytes !== this.#top) return;
    this.#top = last.ptr;
    this.#free.pop();
  }
}

const align = (bytes: number): number => Math.ceil(bytes / LINE) * LINE;
