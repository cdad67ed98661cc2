import { DynamicCache, type TextGenerationPipeline } from '@huggingface/transformers';
import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { topk } from '@jit-attention/strategy-topk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { LoadedSession } from '../src/loaded-model.js';
import { runtimeOf } from '../src/runtime.js';
import { failure } from './support/failure.js';
import { adoptReference, loadGenerator, PROMPT } from './support/reference.js';

describe('the life of an adoption', () => {
  let generator: TextGenerationPipeline;
  let original: LoadedSession;
  let backend: Backend;

  beforeEach(async () => {
    backend = await cpu({ threads: 1 });
    generator = await loadGenerator();
    original = generator.model.sessions.model as LoadedSession;
  });
  afterEach(async () => {
    await generator.dispose().catch(() => undefined);
    await backend.dispose?.();
  });

  const write = (max_new_tokens: number, text = PROMPT) => generator(text, { max_new_tokens });

  it('ends with the original session in its place, and nothing held', async () => {
    const before = await write(10);
    const handle = await adoptReference(generator, { backend });
    expect(generator.model.sessions.model).not.toBe(original);
    await write(10);
    await handle.restore();
    await handle.restore();
    expect(generator.model.sessions.model).toBe(original);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    expect(await write(10)).toEqual(before);
  });

  it('leaves caches behind that neither the original nor a later adoption takes', async () => {
    const { model, tokenizer } = generator;
    const inputs = tokenizer(PROMPT) as object;
    const goOn = (cache: DynamicCache) =>
      model.generate({ ...inputs, max_new_tokens: 2, past_key_values: cache });
    const first = await adoptReference(generator, { backend });
    const [one, other] = [new DynamicCache(), new DynamicCache()];
    await goOn(one);
    await goOn(other);
    await first.restore();
    await expect(goOn(one)).rejects.toThrow('past_key_values.0.value');
    const second = await adoptReference(generator, { backend });
    await expect(goOn(other)).rejects.toThrow(
      failure('UNSUPPORTED', 'a cache that this model has filled since it was adopted'),
    );
    await second.restore();
    expect(await write(10)).toHaveLength(1);
  });

  it('does not end under a run', async () => {
    const handle = await adoptReference(generator, { backend });
    const { model, tokenizer } = generator;
    const run = model(tokenizer(PROMPT)) as Promise<object>;
    await handle.restore();
    expect(Object.keys(await run)).toContain('logits');
  });

  it('can begin again, with another strategy', async () => {
    const first = await adoptReference(generator, { backend });
    const dense = await write(10);
    await first.restore();
    const strategy = topk({ budget: 64, granularity: 'token' });
    const second = await adoptReference(generator, { backend, strategy });
    expect(await write(10)).toEqual(dense);
    await second.restore();
  });

  it('frees the original where it is not to be kept', async () => {
    const before = await write(10);
    const handle = await adoptReference(generator, { backend, keepOriginal: false });
    expect(await write(10)).toEqual(before);
    await expect(handle.restore()).rejects.toThrow(failure('UNSUPPORTED', 'keepOriginal'));
    const { Tensor } = await runtimeOf(original);
    const ids = new Tensor('int64' as never, BigInt64Array.of(1n) as never, [1, 1]);
    await expect((async () => original.run({ input_ids: ids }, ['logits']))()).rejects.toThrow();
    await generator.dispose();
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });

  it('ends with the model, original included', async () => {
    await adoptReference(generator, { backend });
    const release = vi.spyOn(original, 'release');
    const cache = new DynamicCache();
    const inputs = generator.tokenizer(PROMPT) as object;
    await generator.model.generate({ ...inputs, max_new_tokens: 4, past_key_values: cache });
    await generator.dispose();
    expect(release).toHaveBeenCalledOnce();
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    await cache.dispose();
    await expect(write(4)).rejects.toThrow(failure('SEQUENCE_DISPOSED', 'given back'));
  });

  it('leaves the model as it was when it cannot begin', async () => {
    const before = await write(10);
    const nowhere = adoptReference(generator, { backend, source: 'no/such/directory' });
    await expect(nowhere).rejects.toThrow(failure('MISSING_INPUT', 'no/such/directory'));
    expect(generator.model.sessions.model).toBe(original);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    expect(await write(10)).toEqual(before);
  });

  it('leaks nothing in 1,000 tokens', async () => {
    const handle = await adoptReference(generator, { backend });
    const { Tensor } = await runtimeOf(original);
    const make = vi.spyOn(Tensor, 'fromGpuBuffer');
    await write(2);
    const before = backend.memory();
    for (let i = 0; i < 10; i++) {
      await write(100);
      expect(backend.memory()).toEqual(before);
    }
    expect((await handle.report()).contexts).toBe(0);
    const made = make.mock.results.map(({ value }) => value as { location: string });
    expect(made).toHaveLength(1002);
    expect(made.filter(({ location }) => location !== 'none')).toEqual([]);
    make.mockRestore();
    await handle.restore();
  });
});
