import type { Backend } from '../backend.js';
import type { DType } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { LowestFirst } from './lowest-first.js';

/**
 * Pages of one storage tensor `[pages, heads, pageSize, width]`, counted by who holds them: a forked sequence
 * shares the pages of its parent. Storage doubles, with one copy on the device.
 */
export class PagePool {
  readonly #backend: Backend;
  readonly #owners: number[] = [];
  readonly #free = new LowestFirst();
  #storage: Tensor;
  /** Stores that use the pool. */
  #users = 1;

  constructor(
    backend: Backend,
    spec: { heads: number; pageSize: number; width: number; dtype: DType; pages: number },
  ) {
    this.#backend = backend;
    const pages = Math.max(1, spec.pages);
    this.#storage = backend.zeros({
      shape: [pages, spec.heads, spec.pageSize, spec.width],
      dtype: spec.dtype,
    });
    this.#addFree(0, pages);
  }

  get storage(): Tensor {
    return this.#storage;
  }

  share(): this {
    this.#users++;
    return this;
  }

  dispose(): void {
    if (--this.#users === 0) this.#storage.dispose();
  }

  /** A page with one owner: the lowest free one, so that a growing sequence stays contiguous. */
  allocate(): number {
    if (this.#free.size === 0) this.#grow();
    const page = this.#free.pop()!;
    this.#owners[page] = 1;
    return page;
  }

  retain(page: number): void {
    this.#owners[page]++;
  }

  release(page: number): void {
    if (--this.#owners[page] === 0) this.#free.push(page);
  }

  isShared(page: number): boolean {
    return this.#owners[page] > 1;
  }

  /** A copy of a shared page with one owner; the old one loses that owner. */
  copy(page: number): number {
    const copy = this.allocate();
    this.#backend.copyPages(this.#storage, this.#storage, [page], [copy]);
    this.release(page);
    return copy;
  }

  #grow(): void {
    const [pages, ...rest] = this.#storage.shape as [number, ...number[]];
    const larger = this.#backend.zeros({ shape: [2 * pages, ...rest], dtype: this.#storage.dtype });
    const every = Array.from({ length: pages }, (_, page) => page);
    this.#backend.copyPages(this.#storage, larger, every, every);
    this.#storage.dispose();
    this.#storage = larger;
    this.#addFree(pages, 2 * pages);
  }

  #addFree(start: number, end: number): void {
    for (let page = start; page < end; page++) {
      this.#owners[page] = 0;
      this.#free.push(page);
    }
  }
}
