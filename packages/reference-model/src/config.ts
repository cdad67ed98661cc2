import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { modelDirectory } from './directory.js';

/** The fields of `config.json`, by the names Hugging Face gives them. */
export interface ModelConfig {
  readonly model_type: 'llama';
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly vocab_size: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly tie_word_embeddings: true;
  /** Rows of the rotary tables; the model was trained on contexts of up to 4,096 tokens. */
  readonly max_position_embeddings: number;
  readonly bos_token_id: number;
  readonly eos_token_id: number;
}

/** Reads the model's `config.json`. */
export function readModelConfig(): ModelConfig {
  return JSON.parse(readFileSync(join(modelDirectory, 'config.json'), 'utf8')) as ModelConfig;
}
