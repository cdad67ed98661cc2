/**
 * What the benchmark measures on: the queries, keys and values of a model's layers, as attention sees
 * them (already rotated), of one sequence.
 */
export interface AttentionData {
  config: AttentionConfig;
  /** The captured layers, by ascending number. */
  layers: LayerData[];
  /** What the model's own attention does besides a causal softmax; left out here. One sentence each. */
  warnings: string[];
}

export interface AttentionConfig {
  /** The file that the data come from. */
  source: string;
  /** `model_type` of the configuration, or what the file says. */
  model: string;
  /** Attention layers of the model, captured or not. */
  layers: number;
  heads: number;
  /** Divides `heads`; query head `h` reads key/value head `floor(h / (heads / kvHeads))`. */
  kvHeads: number;
  headDim: number;
  valueDim: number;
  /** Factor of the dot products. */
  scale: number;
  tokens: number;
}

export interface LayerData {
  layer: number;
  /** `[heads, tokens, headDim]` */
  query: Float32Array;
  /** `[kvHeads, tokens, headDim]` */
  key: Float32Array;
  /** `[kvHeads, tokens, valueDim]` */
  value: Float32Array;
}

/** The same data as if the sequence had ended after `tokens` tokens; causal attention allows it. */
export function firstTokens(data: AttentionData, tokens: number): AttentionData {
  const { heads, kvHeads, headDim, valueDim, tokens: all } = data.config;
  if (tokens === all) return data;
  if (tokens > all) throw new RangeError(`firstTokens: ${tokens} of ${all} tokens`);
  return {
    ...data,
    config: { ...data.config, tokens },
    layers: data.layers.map(({ layer, query, key, value }) => ({
      layer,
      query: cut(query, heads, all * headDim, tokens * headDim),
      key: cut(key, kvHeads, all * headDim, tokens * headDim),
      value: cut(value, kvHeads, all * valueDim, tokens * valueDim),
    })),
  };
}

function cut(values: Float32Array, rows: number, stride: number, length: number): Float32Array {
  const out = new Float32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    out.set(values.subarray(row * stride, row * stride + length), row * length);
  }
  return out;
}
