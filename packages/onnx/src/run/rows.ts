import type { Place } from '../cut/places.js';
import type { RuntimeTensor } from '../runtime.js';
import { sizeOf } from './tensors.js';

/** How the queries of a step lie in the tensor that a piece gave. */
export class Rows {
  readonly batch: number;
  readonly tokens: number;
  readonly #place: Place;

  constructor(place: Place, dims: readonly number[]) {
    this.#place = place;
    this.batch = dims[0];
    this.tokens = dims[place.layout === 'bthd' ? 1 : 2];
  }

  /** The queries of the last `count` tokens: the tensor's own numbers where that is all of them. */
  last(query: RuntimeTensor, count: number): Float32Array {
    const data = query.data as Float32Array;
    if (count === this.tokens) return data;
    // [outer, tokens, inner], the tokens of interest last
    const outer = this.#place.layout === 'bthd' ? this.batch : this.batch * this.#place.site.heads;
    const inner = sizeOf(query.dims) / (outer * this.tokens);
    const out = new Float32Array(outer * count * inner);
    for (let i = 0; i < outer; i++) {
      const end = (i + 1) * this.tokens * inner;
      out.set(data.subarray(end - count * inner, end), i * count * inner);
    }
    return out;
  }

  /** The output's sizes, as the next piece takes it. */
  dims(count: number): number[] {
    const { heads, valueDim } = this.#place.site;
    return this.#place.layout === 'bthd'
      ? [this.batch, count, heads * valueDim]
      : [this.batch, heads, count, valueDim];
  }
}
