/** GGUF's name for each part of a layer, by Hugging Face's. */
const PARTS: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/** ... and for what is there once. */
const SINGLE: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
};

/** `model.layers.3.mlp.up_proj.weight` is `blk.3.ffn_up.weight`. */
export function ggufName(name: string): string {
  const layer = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(name);
  const found = layer
    ? PARTS[layer[2]] && `blk.${layer[1]}.${PARTS[layer[2]]}.weight`
    : SINGLE[name];
  if (!found) throw new Error(`no GGUF name is known for ${name}`);
  return found;
}
