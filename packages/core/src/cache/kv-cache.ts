import type { Backend } from '../backend.js';
import type { DType } from '../dtype.js';
import { CacheError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { PagedEntries } from './paged-entries.js';

export interface KVCacheOptions {
  batch: number;
  kvHeads: number;
  headDim: number;
  valueDim: number;
  /** `'key'`: each value is a prefix of its key; nothing else is stored. */
  values: 'own' | 'key';
  storage: DType;
  pageSize: number;
  /** Entries a batch row; allocated at once, and a hard limit. */
  capacity?: number | undefined;
}

/** The keys and values of one sequence, in pages. */
export class KVCache {
  readonly keys: PagedEntries;
  readonly values: PagedEntries | 'keys';
  readonly capacity: number | undefined;
  readonly #floor: number[];

  /** @throws {BackendError} `BACKEND_FAILED` when the storage cannot be had; nothing is held then */
  static create(backend: Backend, options: KVCacheOptions): KVCache {
    const {
      batch,
      kvHeads: heads,
      headDim,
      valueDim,
      storage: dtype,
      pageSize,
      capacity,
    } = options;
    const limit = capacity === undefined ? {} : { capacity };
    const rows = { batch, heads, dtype, pageSize, ...limit };
    const keys = PagedEntries.create(backend, { ...rows, width: headDim });
    const floor = new Array<number>(batch).fill(0);
    if (options.values === 'key') return new KVCache(keys, 'keys', capacity, floor);
    try {
      const values = PagedEntries.create(backend, { ...rows, width: valueDim });
      return new KVCache(keys, values, capacity, floor);
    } catch (error) {
      keys.dispose();
      throw error;
    }
  }

  private constructor(
    keys: PagedEntries,
    values: PagedEntries | 'keys',
    capacity: number | undefined,
    floor: number[],
  ) {
    this.keys = keys;
    this.values = values;
    this.capacity = capacity;
    this.#floor = floor;
  }

  get lengths(): readonly number[] {
    return this.keys.lengths;
  }

  /** The shortest lengths that truncation can go back to: pages before were freed. */
  get floor(): readonly number[] {
    return this.#floor;
  }

  get bytes(): number {
    return this.keys.bytes + (this.values === 'keys' ? 0 : this.values.bytes);
  }

  /** @throws {CacheError} `CAPACITY_EXCEEDED` when a row would have more than `capacity` entries */
  assertRoom(counts: readonly number[]): void {
    const length = Math.max(...counts.map((count, row) => this.lengths[row] + count));
    if (this.capacity === undefined || length <= this.capacity) return;
    throw new CacheError(
      `sequence: expected at most ${this.capacity} tokens (capacity), got ${length}`,
      {
        code: 'CAPACITY_EXCEEDED',
        expected: this.capacity,
        actual: length,
        hint: 'give sequence() a larger capacity, or none to let it grow',
      },
    );
  }

  append(keys: Tensor, values: Tensor | undefined, counts: readonly number[]): void {
    this.keys.append(keys, counts);
    if (this.values !== 'keys') this.values.append(values!, counts);
  }

  truncate(lengths: readonly number[]): void {
    this.keys.truncate(lengths);
    if (this.values !== 'keys') this.values.truncate(lengths);
  }

  /** Frees the pages that were dead `rollback` entries ago; nothing when `dead` throws. */
  settle(
    dead: (length: number) => readonly (readonly [start: number, end: number])[],
    rollback: number,
  ): void {
    const settled = this.lengths.map((length) => Math.max(0, length - rollback));
    const ranges = settled.map((length) => (length > 0 ? dead(length) : []));
    settled.forEach((length, row) => {
      let freed = false;
      for (const [start, end] of ranges[row]) {
        freed = this.keys.free(row, start, end) || freed;
        if (this.values !== 'keys') this.values.free(row, start, end);
      }
      if (freed) this.#floor[row] = length;
    });
  }

  fork(): KVCache {
    const values = this.values === 'keys' ? 'keys' : this.values.fork();
    return new KVCache(this.keys.fork(), values, this.capacity, [...this.#floor]);
  }

  dispose(): void {
    this.keys.dispose();
    if (this.values !== 'keys') this.values.dispose();
  }
}
