import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import * as web from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type AdoptedModel, adopt } from '../../src/index.js';
import { collect, maxDifference } from '../support/compare.js';
import { idsOf, textOf } from '../support/text.js';
import { Uncut } from '../support/uncut.js';

/** Both sides sum in f32, in different orders; logits reach about 20. */
const TOLERANCE = 1e-3;
/** What rounding keys and values leaves of that, measured and doubled. */
const ROUNDED = { f16: 0.02, i8: 0.5 } as const;

let backend: Backend;
let uncut: Uncut;
let model: AdoptedModel;
beforeAll(async () => {
  backend = await cpu();
  uncut = await Uncut.load();
  model = await adopt(modelDirectory, { backend });
});
afterAll(async () => {
  await model.dispose();
  await uncut.release();
  await backend.dispose?.();
});

const logitsOf = async (ids: readonly number[]): Promise<Float32Array> => {
  uncut.reset();
  return uncut.step(ids);
};

describe('the reference model in pieces, dense', () => {
  test('has the logits of the uncut model, all of them', async () => {
    const ids = textOf(300);
    const { logits } = await model.forward(ids);
    expect(logits.dims).toEqual([1, 300, 2048]);
    expect(maxDifference(logits.data, await logitsOf(ids))).toBeLessThan(TOLERANCE);
  });

  test('continues as the uncut model does, for 200 tokens', async () => {
    const ids = textOf(64, 3);
    const tokens = await collect(model.generate(ids, { maxNewTokens: 200, stop: [] }));
    expect(tokens).toEqual(await uncut.greedy(ids, 200));
  });

  test('takes a long prompt in chunks as it does in one', async () => {
    const ids = textOf(700, 5);
    const expected = await logitsOf(ids);
    for (const chunk of [64, 256, 1024]) {
      const chunked = await adopt(modelDirectory, { backend, chunk, verify: false });
      const { logits } = await chunked.forward(ids);
      await chunked.dispose();
      expect(maxDifference(logits.data, expected), `chunks of ${chunk}`).toBeLessThan(TOLERANCE);
    }
  });

  test('computes only the rows of logits that are asked for', async () => {
    const ids = textOf(100, 7);
    const expected = await logitsOf(ids);
    const sequence = model.sequence();
    for (const logits of [0, 1, 7, 200, 'all'] as const) {
      sequence.truncate(0);
      const outputs = await sequence.step(idsOf(ids), { logits });
      const rows = logits === 'all' ? 100 : Math.min(logits, 100);
      if (rows === 0) expect(outputs).toEqual({});
      else {
        const { dims, data } = outputs['logits'];
        expect(dims).toEqual([1, rows, 2048]);
        const last = expected.subarray((100 - rows) * 2048);
        expect(maxDifference(data as Float32Array, last)).toBeLessThan(TOLERANCE);
      }
    }
    sequence.dispose();
  });

  test.each(['f16', 'i8'] as const)('keeps its cache in %s', async (storage) => {
    const ids = textOf(200, 11);
    const small = await adopt(modelDirectory, { backend, storage });
    const sequence = small.sequence();
    const { logits } = await sequence.step(idsOf(ids), { logits: 'all' });
    expect(maxDifference(logits.data as Float32Array, await logitsOf(ids))).toBeLessThan(
      ROUNDED[storage],
    );
    const exact = model.sequence();
    await exact.step(idsOf(ids));
    expect(sequence.bytes / exact.bytes).toBeLessThan(storage === 'f16' ? 0.51 : 0.27);
    for (const one of [sequence, exact]) one.dispose();
    await small.dispose();
  });

  test('gives the same tokens in onnxruntime-web', async () => {
    const ids = textOf(64, 13);
    const other = await adopt(modelDirectory, { backend, runtime: web });
    const tokens = await collect(other.generate(ids, { maxNewTokens: 100, stop: [] }));
    await other.dispose();
    expect(tokens).toEqual(await uncut.greedy(ids, 100));
  });
});
