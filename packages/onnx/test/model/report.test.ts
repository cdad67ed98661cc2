import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import { topk } from '@jit-attention/strategy-topk';
import { windowed } from '@jit-attention/strategy-windowed';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { adopt } from '../../src/index.js';
import { collect } from '../support/compare.js';
import { textOf } from '../support/text.js';

let backend: Backend;
beforeAll(async () => {
  backend = await cpu();
});
afterAll(() => backend.dispose?.());

test('a report says of each layer who attended, and what it read and missed', async () => {
  const model = await adopt(modelDirectory, {
    backend,
    strategy: ({ index }) =>
      index === 1 ? windowed({ window: 64, sinks: 0 }) : topk({ budget: 256 }),
    layers: '1-2',
    leave: [3],
    audit: { sample: 1 / 4 },
  });
  await collect(model.generate(textOf(600), { maxNewTokens: 17, stop: [] }));
  const { layers, steps, tokens, modelMs, attentionMs } = await model.report();
  expect(layers.map(({ strategy }) => strategy)).toEqual([
    'dense',
    'windowed(window: 64, sinks: 0)',
    'topk(budget: 256)',
    'onnxruntime',
  ]);
  const [dense, narrow, some, left] = layers;
  expect([steps, tokens]).toEqual([2 + 16, 600 + 16]);
  expect(dense.density).toBe(1);
  expect(dense.recall).toBeUndefined();
  expect(narrow.density).toBeLessThan(0.3);
  expect(some.density).toBeLessThan(1);
  for (const { recall, outputError } of [narrow, some]) {
    expect(recall!.mean).toBeGreaterThan(0.1);
    expect(recall!.mean).toBeLessThan(1);
    expect(outputError).toBeGreaterThan(0);
  }
  expect(left).toMatchObject({ ms: 0, kind: 'GroupQueryAttention', heads: 4, kvHeads: 2 });
  expect(left.density).toBeUndefined();
  expect(modelMs).toBeGreaterThan(0);
  expect(attentionMs).toBeGreaterThan(0);

  const empty = await model.report();
  expect([empty.steps, empty.tokens, empty.attentionMs]).toEqual([0, 0, 0]);
  expect(empty.layers[1].density).toBeUndefined();
  await model.dispose();
});

test('what a listener of audits throws comes out at the report', async () => {
  const onReport = (): void => {
    throw new Error('no more paper');
  };
  const model = await adopt(modelDirectory, {
    ...{ backend, verify: false, strategy: topk({ budget: 256 }), audit: { sample: 1, onReport } },
  });
  await model.forward(textOf(20));
  await expect(model.report()).rejects.toThrow('no more paper');
  await model.dispose();
});

test('a thousand tokens of a window, in memory that does not grow', async () => {
  const model = await adopt(modelDirectory, {
    ...{ backend, verify: false, strategy: windowed({ window: 64 }), rollback: 0 },
  });
  const sequence = model.sequence();
  const held: { tensors: number; bytes: number }[] = [];
  let count = 0;
  for await (const token of model.generate(textOf(300), {
    sequence,
    maxNewTokens: 1000,
    stop: [],
  })) {
    void token;
    if (++count % 250 === 0) held.push(backend.memory());
  }
  expect(held.length).toBe(4);
  expect(new Set(held.map(({ tensors }) => tensors)).size).toBe(1);
  expect(new Set(held.map(({ bytes }) => bytes)).size).toBe(1);
  sequence.dispose();
  await model.dispose();
});
