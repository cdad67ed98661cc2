/** What of `config.json` and `generation_config.json` is used; models write these under several names. */
export interface ModelConfig {
  readonly vocabulary: number | undefined;
  /** The most tokens of a text. */
  readonly positions: number | undefined;
  readonly window: number | undefined;
  /** Ids that end a text. */
  readonly stop: readonly number[];
}

type Json = Readonly<Record<string, unknown>>;

export function readConfig(config: Json, generation: Json = {}): ModelConfig {
  // Multimodal models keep the decoder's part here.
  const text = { ...config, ...(config['text_config'] as Json | undefined) };
  const number = (...names: string[]): number | undefined =>
    names.map((name) => text[name]).find((value) => typeof value === 'number');
  const stop = [generation['eos_token_id'] ?? text['eos_token_id'] ?? []].flat();
  return {
    vocabulary: number('vocab_size'),
    positions: number('max_position_embeddings', 'n_positions', 'n_ctx', 'seq_length'),
    window: number('sliding_window', 'local_attention', 'window_size'),
    stop: stop.filter((id) => typeof id === 'number'),
  };
}
