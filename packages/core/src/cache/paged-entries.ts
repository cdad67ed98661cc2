import type { Backend } from '../backend.js';
import { gapsIn, mergeSpans, type Span } from '../bound.js';
import type { DType } from '../dtype.js';
import type { Entries } from '../entries.js';
import type { Tensor } from '../tensor.js';
import { PagePool } from './page-pool.js';

/**
 * A `[batch, heads, entries, width]` tensor that grows, goes back, and is forked by sharing pages (copied when
 * one side writes to them). Keys, values, indexer keys and compressed entries are all kept in these.
 *
 * The fields of {@link Entries} are live: a plan that holds the object sees its current storage.
 */
export class PagedEntries implements Entries {
  readonly pageSize: number;
  readonly #backend: Backend;
  readonly #pool: PagePool;
  readonly #tables: number[][];
  /** Per batch row, the stretches of its pages that were freed: few, however long the past. */
  readonly #freed: Span[][];
  #lengths: number[];
  #disposed = false;

  /** `capacity`: entries of a batch row to allocate at once. */
  static create(
    backend: Backend,
    spec: {
      batch: number;
      heads: number;
      width: number;
      dtype: DType;
      pageSize: number;
      capacity?: number;
    },
  ): PagedEntries {
    const { batch, pageSize, capacity = pageSize } = spec;
    const pool = new PagePool(backend, { ...spec, pages: batch * Math.ceil(capacity / pageSize) });
    const tables = Array.from({ length: batch }, () => []);
    const freed = Array.from({ length: batch }, () => []);
    const lengths = new Array<number>(batch).fill(0);
    return new PagedEntries(backend, pool, pageSize, { tables, freed, lengths });
  }

  private constructor(
    backend: Backend,
    pool: PagePool,
    pageSize: number,
    rows: { tables: number[][]; freed: Span[][]; lengths: number[] },
  ) {
    this.#backend = backend;
    this.#pool = pool;
    this.pageSize = pageSize;
    this.#tables = rows.tables;
    this.#freed = rows.freed;
    this.#lengths = rows.lengths;
  }

  get storage(): Tensor {
    return this.#pool.storage;
  }

  get tables(): readonly (readonly number[])[] {
    return this.#tables;
  }

  get lengths(): readonly number[] {
    return this.#lengths;
  }

  get bytes(): number {
    const pages =
      sum(this.#tables.map((table) => table.length)) -
      sum(this.#freed.flat().map(([start, end]) => end - start));
    return (this.storage.bytes / this.storage.shape[0]) * pages;
  }

  /** Adds the first `counts[b]` of the rows `[batch, heads, T, width]` behind what is there. */
  append(rows: Tensor, counts: readonly number[]): void {
    this.write(rows, this.#lengths, counts);
  }

  /** Writes rows from entry `first[b]` on, over what is there and beyond; the length follows if it grows. */
  write(rows: Tensor, first: readonly number[], counts: readonly number[]): void {
    const tokens = rows.shape[2];
    const slots = new Int32Array(counts.length * tokens).fill(-1);
    counts.forEach((count, row) => {
      const start = first[row];
      for (
        let page = Math.floor(start / this.pageSize);
        page * this.pageSize < start + count;
        page++
      ) {
        this.#makeWritable(row, page);
      }
      for (let i = 0; i < count; i++) slots[row * tokens + i] = this.#slot(row, start + i);
    });
    this.#lengths = this.#lengths.map((length, row) => Math.max(length, first[row] + counts[row]));
    this.#backend.writeRows(this.storage, rows, slots);
  }

  truncate(lengths: readonly number[]): void {
    this.#tables.forEach((table, row) => {
      const pages = Math.ceil(lengths[row] / this.pageSize);
      for (const page of table.splice(pages)) if (page >= 0) this.#pool.release(page);
      this.#freed[row] = this.#freed[row]
        .map(([start, end]): Span => [start, Math.min(end, pages)])
        .filter(([start, end]) => start < end);
    });
    this.#lengths = this.#lengths.map((length, row) => Math.min(length, lengths[row]));
  }

  /**
   * Frees the pages of a batch row that lie inside `[start, end)` entirely; says whether any did. What was freed
   * before is passed over, not walked through, so that a window which moves on costs a step the same each time.
   */
  free(row: number, start: number, end: number): boolean {
    const table = this.#tables[row];
    const first = Math.max(0, Math.ceil(start / this.pageSize));
    const last = Math.min(table.length, Math.floor(end / this.pageSize));
    const held = gapsIn(this.#freed[row], [first, last]);
    for (const [from, to] of held) {
      for (let page = from; page < to; page++) {
        this.#pool.release(table[page]);
        table[page] = -1;
      }
    }
    if (held.length > 0) this.#freed[row] = mergeSpans([...this.#freed[row], ...held]);
    return held.length > 0;
  }

  fork(): PagedEntries {
    for (const table of this.#tables)
      for (const page of table) if (page >= 0) this.#pool.retain(page);
    return new PagedEntries(this.#backend, this.#pool.share(), this.pageSize, {
      tables: this.#tables.map((table) => [...table]),
      freed: this.#freed.map((spans) => [...spans]),
      lengths: [...this.#lengths],
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.truncate(this.#lengths.map(() => 0));
    this.#pool.dispose();
  }

  #makeWritable(row: number, page: number): void {
    const table = this.#tables[row];
    if (page >= table.length) table.push(this.#pool.allocate());
    else if (table[page] >= 0 && this.#pool.isShared(table[page]))
      table[page] = this.#pool.copy(table[page]);
  }

  #slot(row: number, entry: number): number {
    const page = this.#tables[row][Math.floor(entry / this.pageSize)];
    return page < 0 ? -1 : page * this.pageSize + (entry % this.pageSize);
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
