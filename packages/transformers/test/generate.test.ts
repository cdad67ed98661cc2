import {
  InterruptableStoppingCriteria,
  random,
  StoppingCriteria,
  type TextGenerationPipeline,
  TextStreamer,
} from '@huggingface/transformers';
import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { topk } from '@jit-attention/strategy-topk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { TransformersHandle } from '../src/index.js';
import { adoptReference, loadGenerator, PROMPT, rowsOf } from './support/reference.js';

interface Logits {
  readonly dims: number[];
  readonly data: Float32Array;
}

type Options = Parameters<TextGenerationPipeline>[1];

describe('an adopted model in place of the original', () => {
  let original: TextGenerationPipeline;
  let adopted: TextGenerationPipeline;
  let handle: TransformersHandle;
  let backend: Backend;

  beforeAll(async () => {
    backend = await cpu({ threads: 1 });
    original = await loadGenerator();
    adopted = await loadGenerator();
    handle = await adoptReference(adopted, { backend });
  });
  afterAll(async () => {
    await handle?.restore();
    await Promise.all([original?.dispose(), adopted?.dispose()]);
    await backend?.dispose?.();
  });

  /** What the pipeline says to the same question, before and after. */
  async function both<T>(ask: (generator: TextGenerationPipeline) => Promise<T>): Promise<[T, T]> {
    return [await ask(original), await ask(adopted)];
  }

  it('writes the same 200 tokens, streamed piece by piece', async () => {
    const [before, after] = await both(async (generator) => {
      const pieces: string[] = [];
      const put = (piece: string) => void pieces.push(piece);
      const streamer = new TextStreamer(generator.tokenizer, { callback_function: put });
      return { text: await generator(PROMPT, { max_new_tokens: 200, streamer }), pieces };
    });
    expect(after).toEqual(before);
    expect(after.pieces.length).toBeGreaterThan(30);
  });

  it('chats by a template', async () => {
    const chat_template = `{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:`;
    const messages = [{ role: 'user', content: 'Where is the whale?' }];
    const [before, after] = await both((generator) =>
      generator(messages, { max_new_tokens: 12, chat_template }),
    );
    expect(after).toEqual(before);
  });

  it.each<[string, Options]>([
    ['repetition_penalty', { repetition_penalty: 1.3 }],
    ['no_repeat_ngram_size', { no_repeat_ngram_size: 2 }],
    ['sampling with a temperature', { do_sample: true, temperature: 0.8 }],
    ['num_beams (transformers.js follows one of them)', { num_beams: 2 }],
  ])('follows %s', async (_, options) => {
    const [before, after] = await both((generator) => {
      (random as { seed(seed: number): void }).seed(7);
      return generator(PROMPT, { max_new_tokens: 24, ...options });
    });
    expect(after).toEqual(before);
  });

  it('stops where stopping criteria say so', async () => {
    class After extends StoppingCriteria {
      override _call(ids: number[][]) {
        return ids.map((row) => row.length >= 25);
      }
    }
    const [before, after] = await both((generator) =>
      generator.model.generate({
        ...(generator.tokenizer(PROMPT) as object),
        ...{ max_new_tokens: 50, stopping_criteria: new After() },
      }),
    );
    expect(rowsOf(after)).toEqual(rowsOf(before));
    expect(rowsOf(after)[0]).toHaveLength(25);
  });

  it('can be interrupted, and goes on being useful', async () => {
    const stopping_criteria = new InterruptableStoppingCriteria();
    const interrupt = () => stopping_criteria.interrupt();
    const streamer = new TextStreamer(adopted.tokenizer, {
      ...{ skip_prompt: true, callback_function: interrupt },
    });
    await adopted(PROMPT, { max_new_tokens: 50, stopping_criteria, streamer });
    const [before, after] = await both((generator) => generator(PROMPT, { max_new_tokens: 8 }));
    expect(after).toEqual(before);
    expect((await handle.report()).contexts).toBe(0);
  });

  it('gives the logits of a whole text in forward', async () => {
    const [before, after] = await both(async ({ model, tokenizer }) => {
      const { logits } = (await model(tokenizer(PROMPT))) as { logits: Logits };
      return { dims: logits.dims, data: [...logits.data] };
    });
    expect(after.dims).toEqual(before.dims);
    const difference = Math.max(...before.data.map((x, i) => Math.abs(x - after.data[i])));
    expect(difference).toBeLessThan(1e-3);
  });
  it('gives each row of a batch what it gives it alone, however much padding is on its left', async () => {
    const texts = [PROMPT, 'The whale', 'There is nothing so strange as'];
    const options = { max_new_tokens: 30 };
    const together = await adopted(texts, options);
    for (const [i, text] of texts.entries())
      expect(together[i]).toEqual(await original(text, options));
  });

  it('carries on two conversations at the same time', async () => {
    const ask = (text: string) => adopted(text, { max_new_tokens: 30 });
    const alone = [await ask(PROMPT), await ask('The whale')];
    expect(await Promise.all([ask(PROMPT), ask('The whale')])).toEqual(alone);
  });

  it('reports what was read', async () => {
    const generator = await loadGenerator();
    const strategy = topk({ budget: 256 });
    const sparse = await adoptReference(generator, { backend, strategy, layers: '2-' });
    await generator(`${PROMPT} `.repeat(60), { max_new_tokens: 4 });
    const { layers, tokens, contexts } = await sparse.report();
    expect(layers.map(({ strategy }) => strategy.slice(0, 5))).toEqual([
      'dense',
      'dense',
      'topk(',
      'topk(',
    ]);
    expect(layers.map(({ density = 1 }) => density < 1)).toEqual([false, false, true, true]);
    expect(tokens).toBeGreaterThan(900);
    expect(contexts).toBe(0);
    await sparse.restore();
    await generator.dispose();
  });
});
