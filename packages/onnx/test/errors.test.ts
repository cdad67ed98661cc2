import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TensorProto_DataType as DataType } from 'onnx-buf';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { type AdoptedModel, adopt, type AdoptOptions } from '../src/index.js';
import { errorWith } from './support/compare.js';
import { edited, retype, setOpset } from './support/edit.js';
import { idsOf, textOf } from './support/text.js';

let backend: Backend;
beforeAll(async () => {
  backend = await cpu({ threads: 1 });
});
afterAll(async () => {
  expect(backend.memory().tensors).toBe(0);
  await backend.dispose?.();
});

describe('a directory that is not whole', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'jit-attention-'));
    cpSync(modelDirectory, directory, { recursive: true });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const change = (name: string, bytes: Uint8Array | string): void =>
    writeFileSync(join(directory, name), bytes);
  const model = (): Uint8Array => readFileSync(join(directory, 'onnx/model.onnx'));
  const refused = async (code: string, message: RegExp): Promise<void> => {
    const adopted = adopt(directory, { backend });
    await expect(adopted).rejects.toThrow(errorWith({ code }));
    await expect(adopted).rejects.toThrow(message);
  };

  test('no directory at all', async () => {
    rmSync(directory, { recursive: true });
    await refused('MISSING_INPUT', /is not a directory/);
    cpSync(modelDirectory, directory, { recursive: true });
  });

  test('no config.json', async () => {
    rmSync(join(directory, 'config.json'));
    await refused('MISSING_INPUT', /config\.json is missing/);
  });

  test('no model', async () => {
    rmSync(join(directory, 'onnx'), { recursive: true });
    await refused('MISSING_INPUT', /has no onnx\/model\*\.onnx/);
  });

  test('a config.json that is no JSON', async () => {
    change('config.json', '{ "model_type": ');
    await refused('MODEL_INVALID', /config\.json is not valid JSON/);
  });

  test('a model that is cut short, anywhere', async () => {
    const bytes = model().length;
    for (const share of [0, 1e-5, 0.1, 0.5, 0.999]) {
      change('onnx/model.onnx', readFileSync(join(modelDirectory, 'onnx/model.onnx')));
      truncateSync(join(directory, 'onnx/model.onnx'), Math.floor(share * bytes));
      await refused('MODEL_INVALID', /model\.onnx (is not an ONNX model|has no graph)/);
    }
  });

  test('a Git LFS pointer', async () => {
    change('onnx/model.onnx', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n');
    await refused('MODEL_INVALID', /Git LFS pointer/);
  });

  test('an operator set that is too old', async () => {
    change(
      'onnx/model.onnx',
      edited(model(), (proto) => setOpset(proto, 9)),
    );
    await refused('UNSUPPORTED', /model\.onnx: expected operator set ai\.onnx 11 or newer, got 9/);
  });

  test('weights of a type that attention is not made for', async () => {
    change(
      'onnx/model.onnx',
      edited(model(), ({ graph }) => retype(graph!, DataType.BFLOAT16)),
    );
    await refused(
      'UNSUPPORTED',
      /GroupQueryAttention '.*': expected FLOAT or FLOAT16, got .*BFLOAT16/,
    );
  });

  test('weights in another file, which is missing, or too short', async () => {
    const bytes = edited(model(), ({ graph }) => {
      const [tensor] = graph!.initializer;
      tensor.externalData = Object.entries({
        location: 'weights.bin',
        offset: 0,
        length: 4096,
      }).map(([key, value]) => ({
        $typeName: 'onnx.StringStringEntryProto',
        key,
        value: String(value),
      }));
      tensor.dataLocation = 1;
      tensor.rawData = new Uint8Array(0);
    });
    change('onnx/model.onnx', bytes);
    await refused('MISSING_INPUT', /weights\.bin is missing: model\.onnx keeps weights there/);
    change('onnx/weights.bin', new Uint8Array(100));
    await refused('MODEL_INVALID', /weights\.bin: expected at least 4096 bytes for .*, got 100/);
  });
});

describe('options that make no sense', () => {
  test.each<[string, AdoptOptions]>([
    ['an option that nobody knows', { budget: 3 } as AdoptOptions],
    ['a chunk of nothing', { chunk: 0 }],
    ['layers that are not there', { layers: [4] }],
    ['layers in other words', { layers: 'most' }],
    ['a tolerance of nothing', { verify: { tolerance: 0 } }],
  ])('%s', async (_, options) => {
    const adopted = adopt(modelDirectory, { backend, ...options });
    await expect(adopted).rejects.toThrow(errorWith({ code: 'INVALID_OPTION' }));
  });

  test('a source that is none', async () => {
    const adopted = adopt({ config: {} } as never, { backend });
    await expect(adopted).rejects.toThrow(errorWith({ code: 'INVALID_OPTION' }));
  });
});

describe('a step that makes no sense changes nothing', () => {
  let model: AdoptedModel;
  beforeAll(async () => {
    model = await adopt(modelDirectory, { backend, verify: false });
  });
  afterAll(() => model.dispose());

  test.each<[string, object, string]>([
    ['an id outside the vocabulary', idsOf([1, 2048]), 'INVALID_OPTION'],
    ['a negative id', idsOf([-1]), 'INVALID_OPTION'],
    ['no ids', { attention_mask: { dims: [1, 1], data: [1] } }, 'MISSING_INPUT'],
    ['an empty text', idsOf([]), 'INVALID_SHAPE'],
    [
      'two rows in a context of one',
      { input_ids: { dims: [2, 1], data: [1, 2] } },
      'INVALID_SHAPE',
    ],
    [
      'fewer ids than the sizes say',
      { input_ids: { dims: [1, 3], data: [1, 2] } },
      'INVALID_SHAPE',
    ],
    ['ids of one dimension', { input_ids: { dims: [2], data: [1, 2] } }, 'INVALID_SHAPE'],
    ['ids in words', { input_ids: { dims: [1, 1], data: 'one' } }, 'INVALID_DTYPE'],
    [
      'an input of another model',
      { ...idsOf([1]), pixels: { dims: [1], data: [1] } },
      'INVALID_OPTION',
    ],
    [
      'a cache, which is the own of the context',
      { ...idsOf([1]), 'past_key_values.0.key': { dims: [1, 2, 0, 64], data: new Float32Array() } },
      'INVALID_OPTION',
    ],
    [
      'a mask of another length',
      { ...idsOf([1]), attention_mask: { dims: [1, 7], data: [1, 1, 1, 1, 1, 1, 1] } },
      'INVALID_SHAPE',
    ],
    [
      'padding on the left',
      { ...idsOf([1, 2, 3]), attention_mask: { dims: [1, 3], data: [0, 1, 1] } },
      'UNSUPPORTED',
    ],
    ['more tokens than there are positions', idsOf(textOf(8190)), 'CAPACITY_EXCEEDED'],
  ])('%s', async (_, feeds, code) => {
    const sequence = model.sequence();
    await sequence.step(idsOf(textOf(3)));
    await expect(sequence.step(feeds as never)).rejects.toThrow(errorWith({ code }));
    expect(sequence.lengths).toEqual([3]);
    sequence.dispose();
  });
});
