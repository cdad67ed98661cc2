import { f16, f32, type KnownTensor, q4_1, q8_0 } from './encode.js';
import type { Value } from './write-gguf.js';

export const SIZES = {
  layers: 2,
  hidden: 64,
  inner: 96,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  context: 64,
  epsilon: 1e-5,
  theta: 10000,
} as const;

/** GPT-2's letters for the 256 bytes: printable ones stand for themselves, others are moved to U+0100 and on. */
const BYTES = Array.from({ length: 256 }, (_, byte) => byte).map((byte, _, all) => {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  if (printable(byte)) return String.fromCharCode(byte);
  return String.fromCharCode(256 + all.slice(0, byte).filter((b) => !printable(b)).length);
});

export const MERGES = ['Ġ t', 'h e', 'Ġt he', 'i n', '1 2'];
export const TOKENS = ['<s>', '</s>', ...BYTES, ...MERGES.map((merge) => merge.replace(' ', ''))];

/** Of a Llama too small to be any good, with a tokenizer of its own. */
export const METADATA: Readonly<Record<string, Value>> = {
  'general.architecture': 'llama',
  'general.name': 'tiny',
  'llama.block_count': SIZES.layers,
  'llama.context_length': SIZES.context,
  'llama.embedding_length': SIZES.hidden,
  'llama.feed_forward_length': SIZES.inner,
  'llama.attention.head_count': SIZES.heads,
  'llama.attention.head_count_kv': SIZES.kvHeads,
  'llama.attention.layer_norm_rms_epsilon': SIZES.epsilon,
  'llama.rope.freq_base': SIZES.theta,
  'llama.rope.dimension_count': SIZES.headDim,
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'smollm',
  'tokenizer.ggml.tokens': TOKENS,
  'tokenizer.ggml.token_type': TOKENS.map((_, id) => (id < 2 ? 3 : 1)),
  'tokenizer.ggml.merges': MERGES,
  'tokenizer.ggml.bos_token_id': 0,
  'tokenizer.ggml.eos_token_id': 1,
  'tokenizer.chat_template':
    "{% for message in messages %}{{ '<s>' + message['content'] + '</s>' }}{% endfor %}",
};

/** Its weights, in four formats. */
export function tinyTensors({ tied }: { tied: boolean }): KnownTensor[] {
  const { layers, hidden, inner, heads, kvHeads, headDim } = SIZES;
  const tensors = [
    f16('token_embd.weight', [TOKENS.length, hidden]),
    f32('output_norm.weight', [hidden]),
  ];
  if (!tied) tensors.push(q8_0('output.weight', [TOKENS.length, hidden]));
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `blk.${layer}.${part}.weight`;
    tensors.push(
      f32(name('attn_norm'), [hidden]),
      q8_0(name('attn_q'), [heads * headDim, hidden]),
      q8_0(name('attn_k'), [kvHeads * headDim, hidden]),
      f16(name('attn_v'), [kvHeads * headDim, hidden]),
      q4_1(name('attn_output'), [hidden, heads * headDim]),
      f32(name('ffn_norm'), [hidden]),
      q4_1(name('ffn_gate'), [inner, hidden]),
      q8_0(name('ffn_up'), [inner, hidden]),
      q4_1(name('ffn_down'), [hidden, inner]),
    );
  }
  return tensors;
}
