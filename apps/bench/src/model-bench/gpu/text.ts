import {
  BaseStreamer,
  DynamicCache,
  ones,
  type PreTrainedModel,
  Tensor,
  type TextStreamer,
} from '@huggingface/transformers';
import { median } from 'simple-statistics';

import type { Written } from './messages.js';

/**
 * A text that a model goes on writing, greedily, from a cache that is kept. It grows by what was written: some tens of
 * tokens, the same for all.
 */
export class Text {
  readonly #model: PreTrainedModel;
  readonly #cache = new DynamicCache();
  #ids: bigint[];

  constructor(model: PreTrainedModel, prompt: readonly number[]) {
    this.#model = model;
    this.#ids = prompt.map(BigInt);
  }

  /** At least two tokens: the first, before which the prompt may be read, only starts the clock. */
  async write(count: number): Promise<Written> {
    const clock = new Clock();
    const before = this.#ids.length;
    const sequences = (await this.#model.generate({
      inputs: new Tensor('int64', this.#ids, [1, before]),
      attention_mask: ones([1, before]), // without it everything would be read anew, on top of the cache
      past_key_values: this.#cache,
      max_new_tokens: count,
      do_sample: false,
      eos_token_id: [], // as many as were asked for
      streamer: clock as BaseStreamer as TextStreamer, // declared as both
    })) as Tensor;
    this.#ids = [...(sequences.data as BigInt64Array)];
    return { ids: this.#ids.slice(before).map(Number), ms: median(clock.between) };
  }
}

/** The times between tokens: one is streamed when it is known, that is when its logits are back from the GPU. */
class Clock extends BaseStreamer {
  readonly between: number[] = [];
  /** Of the last token; before the first one the prompt is streamed. */
  #last: number | undefined;
  #hasPrompt = false;

  override put(): void {
    const now = performance.now();
    if (this.#last !== undefined) this.between.push(now - this.#last);
    if (this.#hasPrompt) this.#last = now;
    this.#hasPrompt = true;
  }

  override end(): void {}
}
