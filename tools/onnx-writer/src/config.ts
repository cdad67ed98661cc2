/** What of a Llama's `config.json` decides its graph; the names are Hugging Face's. */
export interface LlamaConfig {
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly vocab_size: number;
  readonly rms_norm_eps: number;
  /** Unscaled rotary positions. */
  readonly rope_theta: number;
  readonly tie_word_embeddings: boolean;
  /** Rows of the rotary tables. */
  readonly max_position_embeddings: number;
}
