import type { IndexPart, IndexSite, Positions } from '@jit-attention/core';

/** An index part that holds one value, which goes back with the sequence. */
export function past<T>(site: IndexSite, value: T): Past<T> {
  return new Past(site.layer.rollback, [{ value, ends: [] }]);
}

export class Past<T> implements IndexPart {
  readonly #rollback: number;
  /** What the value became, and the lengths after that step; oldest first. */
  #records: { readonly value: T; readonly ends: readonly number[] }[];

  constructor(rollback: number, records: { value: T; ends: readonly number[] }[]) {
    this.#rollback = rollback;
    this.#records = records;
  }

  get value(): T {
    return this.#records.at(-1)!.value;
  }

  /** Lengths at which the oldest value came to be. */
  get floor(): readonly number[] {
    return this.#records[0].ends;
  }

  /** The value from the step at these positions on. */
  record({ first, counts }: Positions, value: T): void {
    this.#records.push({ value, ends: first.map((position, row) => position + counts[row]) });
  }

  append(): void {
    // It is planning that changes the value.
  }

  truncate(lengths: readonly number[]): void {
    this.#records = this.#records.filter(({ ends }) => isWithin(ends, lengths));
  }

  settle(lengths: readonly number[]): void {
    const settled = lengths.map((length) => length - this.#rollback);
    while (this.#records.length > 1 && isWithin(this.#records[1].ends, settled))
      this.#records.shift();
  }

  fork(): Past<T> {
    return new Past(this.#rollback, [...this.#records]);
  }
}

const isWithin = (ends: readonly number[], lengths: readonly number[]): boolean =>
  ends.every((end, row) => end <= lengths[row]);
