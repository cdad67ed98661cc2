/** The plain model of a batch row of a paged store: a list of numbers, some pages of which were freed. */
export class ListRow {
  readonly #pageSize: number;
  readonly #numbers: number[];
  readonly #freed: Set<number>;

  constructor(pageSize: number, numbers: readonly number[] = [], freed: Iterable<number> = []) {
    this.#pageSize = pageSize;
    this.#numbers = [...numbers];
    this.#freed = new Set(freed);
  }

  get length(): number {
    return this.#numbers.length;
  }

  /** The numbers; undefined where the page was freed. */
  get contents(): (number | undefined)[] {
    return this.#numbers.map((number, n) =>
      this.#freed.has(Math.floor(n / this.#pageSize)) ? undefined : number,
    );
  }

  write(first: number, numbers: readonly number[]): void {
    this.#numbers.splice(first, numbers.length, ...numbers);
  }

  truncate(length: number): void {
    this.#numbers.splice(length);
    for (const page of this.#freed) if (page * this.#pageSize >= length) this.#freed.delete(page);
  }

  free(start: number, end: number): void {
    for (let page = Math.ceil(start / this.#pageSize); (page + 1) * this.#pageSize <= end; page++)
      this.#freed.add(page);
  }

  fork(): ListRow {
    return new ListRow(this.#pageSize, this.#numbers, this.#freed);
  }
}
