import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import * as ort from 'onnxruntime-node';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { cutModel } from '../src/build/cut-model.js';
import { assertTaken, findSites } from '../src/find-sites.js';
import { adopt } from '../src/index.js';
import { loadModel } from '../src/load/load.js';
import type { AttentionSite } from '../src/site.js';
import { verify } from '../src/verify/verify.js';
import { errorWith } from './support/compare.js';
import { edited } from './support/edit.js';

const file = join(modelDirectory, 'onnx', 'model.onnx');

let backend: Backend;
beforeAll(async () => {
  backend = await cpu();
});
afterAll(async () => {
  expect(backend.memory().tensors).toBe(0);
  await backend.dispose?.();
});

describe('what was understood of a model is compared with the model', () => {
  const loaded = loadModel(modelDirectory, ort);
  const sites = findSites(loaded.graph).map((found) => assertTaken(loaded.graph, found));

  /** As if a matcher had misread layer 2. */
  async function misread(change: Partial<AttentionSite>): Promise<void> {
    const wrong = sites.map((site) => (site.layer === 2 ? { ...site, ...change } : site));
    const cut = await cutModel(loaded, wrong, { runtime: ort });
    try {
      await verify({ loaded, runtime: ort, backend, isDecoder: true }, cut, {});
    } finally {
      await cut.open.release();
    }
  }

  test('and holds', () => misread({}));

  test.each<[string, Partial<AttentionSite>]>([
    ['a scale', { scale: 0.2 }],
    ['pairs of channels', { rotary: { ...sites[2].rotary!, interleaved: true } }],
    ['no rotation', { rotary: undefined }],
    ['a window', { window: 16 }],
    ['a sink', { smoothSoftmax: true }],
  ])('%s that was misread is found, with the layer', async (_, change) => {
    const found = misread(change);
    await expect(found).rejects.toThrow(errorWith({ code: 'MODEL_MISMATCH' }));
    await expect(found).rejects.toThrow(/layer 2, GroupQueryAttention '\/model\/layers\.2/);
  });
});

describe('a session that is there already', () => {
  test('is compared with, and stays open', async () => {
    const original = await ort.InferenceSession.create(file);
    for (const round of [1, 2]) {
      const model = await adopt(modelDirectory, {
        backend,
        verify: { original, tokens: 8 + round },
      });
      await model.dispose();
    }
    await original.release();
  });

  test('of another model is found out', async () => {
    const other = edited(readFileSync(file), ({ graph }) => {
      const { rawData } = graph!.initializer.find(({ name }) =>
        name.endsWith('2.mlp.down_proj.weight'),
      )!;
      rawData.fill(0, 0, rawData.length / 2);
    });
    const original = await ort.InferenceSession.create(other);
    const adopted = adopt(modelDirectory, { backend, verify: { original } });
    await expect(adopted).rejects.toThrow(errorWith({ code: 'MODEL_MISMATCH' }));
    await expect(adopted).rejects.toThrow(/no attention differs by itself/);
    await original.release();
  });
});
