import { DynamicCache, ones, type TextGenerationPipeline } from '@huggingface/transformers';
import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { windowed } from '@jit-attention/strategy-windowed';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { TransformersHandle } from '../src/index.js';
import { collectGarbage } from './support/garbage.js';
import { failure } from './support/failure.js';
import { adoptReference, loadGenerator, PROMPT, rowsOf } from './support/reference.js';

/** A tensor of transformers.js. */
interface Entry {
  readonly dims: number[];
  readonly data: unknown;
  dispose(): void;
}

type Outputs = Record<'logits' | 'present.0.key', Entry>;

const VOCABULARY = 2048;
const TURNS = [' "Where is the whale?" said he.', ' And the captain answered:'];

describe('a cache that the caller keeps', () => {
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
  afterEach(async () => expect((await handle.report()).contexts).toBe(0));

  /** Continues a text, whose beginning the cache may hold already; gives the whole. */
  async function goOn(
    generator: TextGenerationPipeline,
    text: string,
    past_key_values: DynamicCache | null = null,
    max_new_tokens = 12,
  ): Promise<string> {
    const inputs = generator.tokenizer(text) as object;
    const ids = await generator.model.generate({ ...inputs, max_new_tokens, past_key_values });
    return generator.tokenizer.decode(rowsOf(ids)[0]);
  }

  it('goes on from turn to turn, and reads a turn only once', async () => {
    let [before, after] = [PROMPT, PROMPT];
    const cache = new DynamicCache();
    await handle.report();
    for (const turn of ['', ...TURNS]) {
      before = await goOn(original, before + turn);
      after = await goOn(adopted, after + turn, cache);
      expect(after).toBe(before);
    }
    const { tokens, contexts, contextBytes } = await handle.report();
    expect(tokens).toBe(cache.get_seq_length());
    expect(contexts).toBe(1);
    expect(contextBytes).toBeGreaterThan(0);
    await cache.dispose();
  });

  it('is not disturbed by another conversation in between', async () => {
    const [first, second] = [new DynamicCache(), new DynamicCache()];
    let [one, other] = [PROMPT, 'The whale'];
    for (const turn of ['', ...TURNS])
      [one, other] = await Promise.all([
        goOn(adopted, one + turn, first),
        goOn(adopted, other + turn, second),
      ]);
    let alone = PROMPT;
    for (const turn of ['', ...TURNS]) alone = await goOn(original, alone + turn);
    expect(one).toBe(alone);
    expect(other).toContain('The whale');
    await Promise.all([first.dispose(), second.dispose()]);
  });

  it('is continued in several ways by forks', async () => {
    const cache = new DynamicCache();
    const text = await goOn(adopted, PROMPT, cache);
    const fork = await handle.fork(cache);
    expect(fork).toBeInstanceOf(DynamicCache);
    const ways = [
      await goOn(adopted, text + TURNS[0], cache),
      await goOn(adopted, text + TURNS[1], fork),
    ];
    expect(ways).toEqual([
      await goOn(original, text + TURNS[0]),
      await goOn(original, text + TURNS[1]),
    ]);
    await Promise.all([cache.dispose(), fork.dispose()]);
  });

  it('is truncated, and goes on as if the rest had never been', async () => {
    const cache = new DynamicCache();
    await goOn(adopted, PROMPT, cache, 100);
    const length = rowsOf((adopted.tokenizer(PROMPT) as { input_ids: unknown }).input_ids)[0]
      .length;
    await handle.truncate(cache, length);
    expect(cache.get_seq_length()).toBe(length);
    expect(await goOn(adopted, PROMPT + TURNS[0], cache)).toBe(
      await goOn(original, PROMPT + TURNS[0]),
    );
    await handle.truncate(cache, 10_000);
    await handle.truncate(cache, 0);
    expect(await goOn(adopted, TURNS[1], cache)).toBe(await goOn(original, TURNS[1]));
    await cache.dispose();
  });

  it('keeps a padded batch', async () => {
    const texts = [PROMPT, 'The whale'];
    const generate = async (
      { model, tokenizer }: TextGenerationPipeline,
      texts: string[],
      past_key_values: DynamicCache | null = null,
    ) => {
      tokenizer.padding_side = 'left';
      const inputs = tokenizer(texts, { padding: true }) as object;
      return rowsOf(await model.generate({ ...inputs, max_new_tokens: 6, past_key_values }));
    };
    const cache = new DynamicCache();
    const rows = await generate(adopted, texts, cache);
    const fork = await handle.fork(cache);
    await handle.truncate(fork, 4);
    for (const [i, text] of texts.entries())
      expect(rows[i].slice(-6)).toEqual((await generate(original, [text]))[0].slice(-6));
    await Promise.all([cache.dispose(), fork.dispose()]);
  });

  /** One pass from the tensor that stands for a cache: the logits of the last token, and the next such tensor. */
  async function forward(
    text: string,
    past?: Entry,
  ): Promise<{ logits: number[]; present: Entry }> {
    const { input_ids } = adopted.tokenizer(text) as { input_ids: Entry };
    const attention_mask = ones([1, (past?.dims[2] ?? 0) + input_ids.dims[1]]);
    const past_key_values = past && new DynamicCache({ 'past_key_values.0.key': past as never });
    const outputs = (await adopted.model({
      input_ids,
      attention_mask,
      past_key_values,
    })) as Outputs;
    const logits = [...(outputs.logits.data as Float32Array).slice(-VOCABULARY)];
    return { logits, present: outputs['present.0.key'] };
  }

  it('is left as it was where two go on from it, one after the other or at once', async () => {
    const { present } = await forward(PROMPT);
    const one = await forward(TURNS[0], present);
    const [other, again] = await Promise.all([
      forward(TURNS[1], present),
      forward(TURNS[0], present),
    ]);
    expect(again.logits).toEqual(one.logits);
    const alone = await forward(PROMPT);
    const fresh = await forward(TURNS[1], alone.present);
    expect(fresh.logits).toEqual(other.logits);
    expect((await handle.report()).contexts).toBe(4);
    for (const { present } of [one, other, again, alone, fresh]) present.dispose();
    present.dispose();
  });

  it('is let go when nobody can reach it any more', async () => {
    for (let i = 0; i < 30; i++) await forward(PROMPT);
    expect((await handle.report()).contexts).toBeGreaterThan(1);
    await vi.waitFor(
      async () => {
        collectGarbage();
        expect((await handle.report()).contexts).toBe(0);
      },
      { timeout: 10_000 },
    );
  });

  it('has no numbers to look at', async () => {
    const { present } = await forward(PROMPT);
    expect(() => present.data).toThrow(failure('UNSUPPORTED', 'no look into the cache'));
    present.dispose();
    expect(() => present.data).toThrow(failure('SEQUENCE_DISPOSED', 'a disposed one'));
    await expect(forward(TURNS[0], present)).rejects.toThrow(
      failure('SEQUENCE_DISPOSED', 'fork()'),
    );
  });

  it('is refused where the original has filled it', async () => {
    const { input_ids } = original.tokenizer(PROMPT) as { input_ids: Entry };
    const attention_mask = ones(input_ids.dims);
    const outputs = (await original.model({ input_ids, attention_mask })) as Outputs;
    await expect(forward(TURNS[0], outputs['present.0.key'])).rejects.toThrow(
      failure('UNSUPPORTED', 'expected a cache that this model has filled since it was adopted'),
    );
  });

  it('cannot go back to what a window has let go', async () => {
    const generator = await loadGenerator();
    const strategy = windowed({ window: 64, sinks: 4 });
    const flat = await adoptReference(generator, { backend, strategy, rollback: 64 });
    const cache = new DynamicCache();
    const text = await goOn(generator, PROMPT, cache, 500);
    await expect(flat.truncate(cache, 20)).rejects.toThrow(failure('ROLLBACK_EXCEEDED', ''));
    const length = cache.get_seq_length();
    await flat.truncate(cache, length - 30);
    expect(cache.get_seq_length()).toBe(length - 30);
    expect(text).toContain(PROMPT);
    await cache.dispose();
    await flat.restore();
    await generator.dispose();
  });
});
