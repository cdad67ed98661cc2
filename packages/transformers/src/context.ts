import type { SequenceOfModel } from '@jit-attention/onnx';

import { type Columns, tokensOf } from './padding.js';

/** A point of a context that somebody holds: what a tensor in a cache of transformers.js stands for. */
export interface Point {
  readonly context: Context;
  readonly columns: Columns;
}

/** One context of the model, and the points of it that are held. It ends with the last of them. */
export class Context {
  readonly sequence: SequenceOfModel;
  readonly #live: Set<Context>;
  readonly #points = new Set<Point>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param live the contexts that have not ended; it joins them */
  constructor(sequence: SequenceOfModel, live: Set<Context>) {
    this.sequence = sequence;
    this.#live = live;
    live.add(this);
  }

  hold(columns: Columns): Point {
    const point = { context: this, columns };
    this.#points.add(point);
    return point;
  }

  holds(point: Point): boolean {
    return this.#points.has(point);
  }

  letGo(point: Point): void {
    if (this.#points.delete(point)) this.endUnlessHeld();
  }

  endUnlessHeld(): void {
    if (this.#points.size === 0) this.end();
  }

  /** Whoever holds a point of it. */
  end(): void {
    this.#points.clear();
    if (this.#live.delete(this)) this.sequence.dispose();
  }

  /** One after the other: a sequence that is at work can be neither forked nor truncated. */
  inOrder<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // Without the result: a tensor that only its own context knows has to be found unreachable.
    this.#last = result.then(ignore, ignore);
    return result;
  }

  /**
   * A context that ends in these columns. It is this one, if it does already, or if nobody holds a point of what comes
   * after, which is then forgotten; else a new one, which shares the past.
   *
   * @throws {CacheError} `ROLLBACK_EXCEEDED`
   */
  at(columns: Columns): Context {
    const now = this.sequence.lengths;
    const wanted = now.map((_, row) => tokensOf(columns, row));
    if (wanted.every((length, row) => length === now[row])) return this;
    if ([...this.#points].some((point) => point.columns.count > columns.count))
      return this.fork(wanted);
    this.sequence.truncate(wanted);
    return this;
  }

  /** A new context with the first so many tokens of each row. */
  fork(lengths: readonly number[]): Context {
    const sequence = this.sequence.fork();
    try {
      sequence.truncate(lengths);
      return new Context(sequence, this.#live);
    } catch (error) {
      sequence.dispose();
      throw error;
    }
  }
}

const ignore = (): void => undefined;
