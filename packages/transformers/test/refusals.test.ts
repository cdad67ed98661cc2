import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Tensor, type TextGenerationPipeline } from '@huggingface/transformers';
import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { adoptTransformers, type LoadedModel, type TransformersHandle } from '../src/index.js';
import { findSession } from '../src/loaded-model.js';
import { StandIn } from '../src/stand-in.js';
import { failure } from './support/failure.js';
import { adoptReference, loadGenerator, PROMPT } from './support/reference.js';

const source = modelDirectory;

describe('adoptTransformers', () => {
  it.each([
    [undefined, 'a model that transformers.js has loaded, got undefined'],
    [null, 'a model that transformers.js has loaded, got null'],
    [{}, 'AutoModelForCausalLM.from_pretrained()'],
    [{ sessions: {} }, 'a model that transformers.js has loaded, got Object'],
    [{ sessions: { model: {} } }, 'a model that transformers.js has loaded, got Object'],
    [{ model: {} }, "pass the pipeline's .model"],
  ])('refuses %j', async (model, words) => {
    await expect(adoptTransformers(model as LoadedModel, { source })).rejects.toThrow(
      failure('INVALID_OPTION', words),
    );
  });

  it.each(['past_key_values.0.encoder.key', 'past_conv.0'])('refuses a model with %s', (name) => {
    const session = { inputNames: ['input_ids', name], inputMetadata: [], run: () => undefined };
    expect(() => findSession({ sessions: { model: session } })).toThrow(
      failure('UNSUPPORTED', `the model's input '${name}'`),
    );
  });
});

describe('a loaded model', () => {
  let generator: TextGenerationPipeline;
  let backend: Backend;
  beforeAll(async () => {
    backend = await cpu({ threads: 1 });
    generator = await loadGenerator();
  });
  afterAll(async () => {
    await generator?.dispose();
    await backend?.dispose?.();
  });

  it('is not adopted without its source', async () => {
    for (const options of [undefined, {}, { source: undefined }])
      await expect(adoptTransformers(generator.model, options as never)).rejects.toThrow(
        failure('MISSING_INPUT', 'pass source'),
      );
  });

  it('is not adopted with an option that nobody knows', async () => {
    const options = { backend, strateggy: 1 };
    await expect(adoptReference(generator, options)).rejects.toThrow(
      failure('INVALID_OPTION', 'strateggy'),
    );
    await expect(adoptReference(generator, { keepOriginal: 'no' as never })).rejects.toThrow(
      failure('INVALID_OPTION', 'keepOriginal to be true or false, got no'),
    );
  });

  it('is not adopted from the files of another model', async () => {
    const bytes = readFileSync(join(source, 'onnx/model.onnx'));
    bytes.fill(0, bytes.length / 2, bytes.length / 2 + 65_536);
    const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8')) as object;
    const files = { config: config as Record<string, unknown>, model: new Uint8Array(bytes) };
    const adoption = adoptReference(generator, { backend, source: files });
    await expect(adoption).rejects.toThrow(failure('MODEL_MISMATCH', ''));
    expect(generator.model.sessions.model).not.toBeInstanceOf(StandIn);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });

  it('is not adopted twice', async () => {
    const handle = await adoptReference(generator, { backend });
    await expect(adoptReference(generator, { backend })).rejects.toThrow(
      failure('INVALID_OPTION', 'restore()'),
    );
    await handle.restore();
  });

  it('is not adopted on a device that could be any', async () => {
    const session = generator.model.sessions.model as { config: object };
    const { config } = session;
    session.config = { ...config, device: 'webnn' };
    const executionProviders = ['cpu'];
    await expect(adoptReference(generator, { backend })).rejects.toThrow(
      failure('UNSUPPORTED', 'session: { executionProviders'),
    );
    const handle = await adoptReference(generator, { backend, session: { executionProviders } });
    await handle.restore();
    session.config = config;
  });
});

describe('an adopted model', () => {
  let generator: TextGenerationPipeline;
  /** What the model goes on to say before it is adopted. */
  let original: unknown;
  let handle: TransformersHandle;
  let backend: Backend;
  beforeAll(async () => {
    backend = await cpu({ threads: 1 });
    generator = await loadGenerator();
    original = await generator(PROMPT, { max_new_tokens: 3 });
    handle = await adoptReference(generator, { backend });
  });
  afterAll(async () => {
    await handle?.restore();
    await generator?.dispose();
    await backend?.dispose?.();
  });

  const i64 = (...rows: number[][]) =>
    new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);

  it.each([
    ['a token id beyond the vocabulary', i64([3, 2048]), i64([1, 1]), 'INVALID_OPTION', '2048'],
    ['a negative token id', i64([3, -1]), i64([1, 1]), 'INVALID_OPTION', '-1'],
    [
      'padding on the right',
      i64([3, 4], [5, 0]),
      i64([1, 1], [1, 0]),
      'UNSUPPORTED',
      "padding_side = 'left'",
    ],
    ['a hidden token', i64([3, 4, 5]), i64([1, 0, 1]), 'UNSUPPORTED', 'zeros at [1, 2)'],
    [
      'a text that is all padding',
      i64([3, 4], [0, 0]),
      i64([1, 1], [0, 0]),
      'UNSUPPORTED',
      'row 1',
    ],
    [
      'a mask of another length',
      i64([3, 4]),
      i64([1, 1, 1]),
      'INVALID_SHAPE',
      'attention_mask [1, 2]',
    ],
  ] as const)(
    'refuses %s, and is none the worse',
    async (_, input_ids, attention_mask, code, words) => {
      const options = { inputs: input_ids, attention_mask, max_new_tokens: 3 };
      const before = backend.memory();
      await expect(generator.model.generate(options)).rejects.toThrow(failure(code, words));
      expect(backend.memory()).toEqual(before);
      expect((await handle.report()).contexts).toBe(0);
      await expect(generator(PROMPT, { max_new_tokens: 3 })).resolves.toEqual(original);
    },
  );

  it('refuses a cache of another number of texts', async () => {
    const inputs = i64([3, 4], [5, 6]);
    const { past_key_values } = (await generator.model.generate({
      ...{ inputs, max_new_tokens: 1, return_dict_in_generate: true },
    })) as unknown as { past_key_values: never };
    const one = {
      inputs: i64([3]),
      attention_mask: i64([1, 1, 1]),
      past_key_values,
      max_new_tokens: 1,
    };
    await expect(generator.model.generate(one)).rejects.toThrow(
      failure('INVALID_SHAPE', 'expected a cache of 1 texts, as many as the input, got 2'),
    );
    await (past_key_values as { dispose(): Promise<void> }).dispose();
  });

  it.each([-1, 1.5, NaN])('refuses to truncate a cache to %d', async (length) => {
    await expect(handle.truncate({} as never, length)).rejects.toThrow(
      failure('INVALID_OPTION', `length to be a whole number from 0, got ${length}`),
    );
  });
});
