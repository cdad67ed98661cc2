import { normals } from './random.js';

export interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
}

/** Two heads for each kv head, and widths that are told apart: as options of `createAttention`. */
export const LAYER = { heads: 4, kvHeads: 2, headDim: 4, valueDim: 3 };

/** `[batch, heads, tokens, width]` as plain numbers. */
export class Block {
  readonly shape: readonly [batch: number, heads: number, tokens: number, width: number];
  readonly data: Float32Array;

  constructor(shape: Block['shape'], data: Float32Array) {
    this.shape = shape;
    this.data = data;
  }

  at(row: number, head: number, token: number): Float32Array {
    const [, heads, tokens, width] = this.shape;
    const start = ((row * heads + head) * tokens + token) * width;
    return this.data.subarray(start, start + width);
  }

  /** Tokens `[first[b], first[b] + counts[b])` of each row, the rest of `tokens` NaN: padding must not matter. */
  cut(first: readonly number[], counts: readonly number[], tokens: number): Block {
    const [batch, heads, , width] = this.shape;
    const data = new Float32Array(batch * heads * tokens * width).fill(NaN);
    const cut = new Block([batch, heads, tokens, width], data);
    for (let row = 0; row < batch; row++) {
      for (let head = 0; head < heads; head++) {
        for (let t = 0; t < counts[row]; t++)
          cut.at(row, head, t).set(this.at(row, head, first[row] + t));
      }
    }
    return cut;
  }
}

/** One call: which tokens each row appends, and how many of the last of them ask. */
export interface Stretch {
  readonly first: readonly number[];
  readonly counts: readonly number[];
  /** Queries a row, padding included. Default: as many as the longest row's keys. */
  readonly queries?: number | undefined;
}

export interface Inputs {
  query: Float32Array;
  key: Float32Array;
  value: Float32Array;
  lengths: number[];
}

/** A text of random queries, keys and values, from which calls take their stretches. */
export class Text {
  readonly sizes: Sizes;
  readonly tokens: number;
  readonly query: Block;
  readonly key: Block;
  readonly value: Block;

  constructor(tokens: number, { seed = 1, ...sizes }: Partial<Sizes> & { seed?: number } = {}) {
    this.sizes = { batch: 1, ...LAYER, ...sizes };
    this.tokens = tokens;
    const { batch, heads, kvHeads, headDim, valueDim } = this.sizes;
    const block = (count: number, width: number, number: number): Block =>
      new Block(
        [batch, count, tokens, width],
        normals(batch * count * tokens * width, 3 * seed + number),
      );
    this.query = block(heads, headDim, 0);
    this.key = block(kvHeads, headDim, 1);
    this.value = block(kvHeads, valueDim, 2);
  }

  /** The same stretch of every row. */
  slice(start: number, end: number, queries?: number): Inputs {
    const rows = new Array<number>(this.sizes.batch).fill(start);
    return this.take({ first: rows, counts: rows.map(() => end - start), queries });
  }

  take({ first, counts, queries }: Stretch): Inputs {
    const tokens = Math.max(1, ...counts);
    const skipped = tokens - (queries ?? tokens);
    const asking = this.query.cut(
      first.map((start) => start + skipped),
      counts.map((count) => Math.max(0, count - skipped)),
      tokens - skipped,
    );
    return {
      query: asking.data,
      key: this.key.cut(first, counts, tokens).data,
      value: this.value.cut(first, counts, tokens).data,
      lengths: [...counts],
    };
  }
}
