/** Cosines and sines, `[positions, pairs]`; a head's first `2 * pairs` elements are rotated. */
export interface RotaryTables {
  cos: Float32Array;
  sin: Float32Array;
  pairs: number;
  /** Pairs are `(2 i, 2 i + 1)`, rather than `(i, i + pairs)`. */
  interleaved: boolean;
}

/** Rotates `[heads, tokens, headDim]` in place, the token at index `t` by the tables' row `t`. */
export function rotate(
  values: Float32Array,
  { tokens, headDim }: { tokens: number; headDim: number },
  { cos, sin, pairs, interleaved }: RotaryTables,
): void {
  const step = interleaved ? 2 : 1;
  const distance = interleaved ? 1 : pairs;
  for (let row = 0; row < values.length / headDim; row++) {
    const table = (row % tokens) * pairs;
    for (let pair = 0; pair < pairs; pair++) {
      const i = row * headDim + pair * step;
      const a = values[i];
      const b = values[i + distance];
      values[i] = a * cos[table + pair] - b * sin[table + pair];
      values[i + distance] = b * cos[table + pair] + a * sin[table + pair];
    }
  }
}
