import type { LlamaConfig } from './config.js';

/**
 * Rotary tables, each `[max_position_embeddings, head_dim / 2]`: the cosine and sine of
 * `position / rope_theta ** (2 i / head_dim)`, computed in f64 and stored as f32.
 */
export function rotaryTables(config: LlamaConfig): { cos: Float32Array; sin: Float32Array } {
  const { max_position_embeddings: positions, head_dim: headDim, rope_theta: theta } = config;
  const pairs = headDim / 2;
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < pairs; i++) {
      const angle = position / theta ** ((2 * i) / headDim);
      cos[position * pairs + i] = Math.cos(angle);
      sin[position * pairs + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
