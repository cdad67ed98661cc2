import type { LlamaConfig } from '@jit-attention/onnx-writer';

import { unsupported } from './errors.js';
import type { GgufFile } from './gguf-file.js';

/** `config.json` of a Llama, as far as it is known from a GGUF file. */
export interface ModelConfig extends LlamaConfig {
  readonly architectures: readonly string[];
  readonly model_type: 'llama';
  readonly hidden_act: 'silu';
  readonly intermediate_size: number;
  readonly attention_bias: false;
  readonly mlp_bias: false;
  readonly rope_scaling: null;
  readonly bos_token_id?: number;
  readonly eos_token_id?: number;
  readonly pad_token_id?: number;
  readonly torch_dtype: 'float32';
}

/** @throws {ModelError} `UNSUPPORTED` for anything but a plain Llama; `MODEL_INVALID` if a size is not given */
export function readConfig(file: GgufFile): ModelConfig {
  requireLlama(file);
  const { metadata, tensors } = file;
  const size = (key: string) => metadata.number(`llama.${key}`);
  const heads = size('attention.head_count');
  const headDim = metadata.number('llama.attention.key_length', size('embedding_length') / heads);
  requirePlainRotary(file, headDim);
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: size('embedding_length'),
    intermediate_size: size('feed_forward_length'),
    num_hidden_layers: size('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: metadata.number('llama.attention.head_count_kv', heads),
    head_dim: headDim,
    vocab_size: metadata.strings('tokenizer.ggml.tokens').length,
    max_position_embeddings: size('context_length'),
    rms_norm_eps: decimal(size('attention.layer_norm_rms_epsilon')),
    rope_theta: decimal(metadata.number('llama.rope.freq_base', 10000)),
    rope_scaling: null,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: !tensors.has('output.weight'),
    ...tokenIds(file),
    torch_dtype: 'float32',
  };
}

/** The ids of special tokens, by the names that configurations give them; what the file does not have is left out. */
export function tokenIds({
  metadata,
}: GgufFile): Partial<Record<'bos_token_id' | 'eos_token_id' | 'pad_token_id', number>> {
  const names = { bos_token_id: 'bos', eos_token_id: 'eos', pad_token_id: 'padding' };
  return Object.fromEntries(
    Object.entries(names)
      .map(([name, key]) => [name, `tokenizer.ggml.${key}_token_id`])
      .filter(([, key]) => metadata.has(key))
      .map(([name, key]) => [name, metadata.number(key)]),
  );
}

function requireLlama({ path, metadata }: GgufFile): void {
  const architecture = metadata.string('general.architecture');
  if (architecture !== 'llama') {
    throw unsupported(
      `${path}: expected the architecture llama, got ${architecture}`,
      'only Llama-type models can be converted',
    );
  }
  const experts = metadata.number('llama.expert_count', 0);
  if (experts === 0) return;
  throw unsupported(`${path} has ${experts} experts a layer`, 'take a model without experts');
}

function requirePlainRotary({ path, metadata }: GgufFile, headDim: number): void {
  const scaling = metadata.string('llama.rope.scaling.type', 'none');
  if (scaling !== 'none') {
    throw unsupported(
      `${path}: its rotary positions are scaled (${scaling})`,
      'take a model without',
    );
  }
  const turned = metadata.number('llama.rope.dimension_count', headDim);
  if (turned === headDim) return;
  throw unsupported(
    `${path}: rotary positions turn ${turned} of ${headDim} values of a head`,
    'take a model that turns them all',
  );
}

/** The shortest decimal number that is this f32: 1e-5 is stored as 0.000009999999747378752. */
function decimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
