import type { Place } from '../cut/places.js';

/** How the tokens of a step lie in what a piece gives for a place. */
export class Rows {
  readonly batch: number;
  readonly tokens: number;
  /** Of the tokens, in `[batch, tokens, heads, width]` or `[batch, heads, tokens, width]`. */
  readonly axis: 1 | 2;
  readonly #place: Place;

  /** From the sizes of one of the place's values. */
  constructor(place: Place, dims: readonly number[]) {
    this.#place = place;
    this.batch = dims[0];
    this.axis = place.layout === 'bthd' ? 1 : 2;
    this.tokens = dims[this.axis];
  }

  shape(heads: number, width: number): number[] {
    return this.axis === 1
      ? [this.batch, this.tokens, heads, width]
      : [this.batch, heads, this.tokens, width];
  }

  /** The queries of the last `count` tokens: the numbers themselves where that is all of them. */
  last(query: Float32Array, count: number): Float32Array {
    if (count === this.tokens) return query;
    // [outer, tokens, inner]
    const outer = this.axis === 1 ? this.batch : this.batch * this.#place.site.heads;
    const inner = query.length / (outer * this.tokens);
    const out = new Float32Array(outer * count * inner);
    for (let i = 0; i < outer; i++) {
      const end = (i + 1) * this.tokens * inner;
      out.set(query.subarray(end - count * inner, end), i * count * inner);
    }
    return out;
  }

  /** The output's sizes, as the next piece takes it. */
  dims(count: number): number[] {
    const { heads, valueDim } = this.#place.site;
    return this.axis === 1
      ? [this.batch, count, heads * valueDim]
      : [this.batch, heads, count, valueDim];
  }
}
