import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import { topk } from '@jit-attention/strategy-topk';
import { windowed } from '@jit-attention/strategy-windowed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type AdoptedModel, adopt, type SequenceOfModel } from '../../src/index.js';
import { collect, errorWith, maxDifference } from '../support/compare.js';
import { idsOf, textOf } from '../support/text.js';

/** What a context gives next is a matter of what it holds, not of how it came there: the same bits, nearly. */
const TOLERANCE = 1e-4;

let backend: Backend;
const models: Record<string, AdoptedModel> = {};
beforeAll(async () => {
  backend = await cpu();
  const strategies = {
    dense: undefined,
    windowed: windowed({ window: 64 }),
    topk: topk({ budget: 192, recent: 16 }),
  };
  for (const [name, strategy] of Object.entries(strategies))
    models[name] = await adopt(modelDirectory, { backend, strategy });
  models['left'] = await adopt(modelDirectory, { backend, leave: '1,3' });
});
afterAll(async () => {
  for (const model of Object.values(models)) await model.dispose();
  await backend.dispose?.();
});

const next = async (sequence: SequenceOfModel, ids: readonly number[]): Promise<Float32Array> =>
  (await sequence.step(idsOf(ids)))['logits'].data as Float32Array;

/** What a fresh context gives after all of `ids`, the last of them by itself. */
async function fresh(model: AdoptedModel, ids: readonly number[]): Promise<Float32Array> {
  const sequence = model.sequence();
  await sequence.step(idsOf(ids.slice(0, -1)), { logits: 0 });
  const logits = await next(sequence, ids.slice(-1));
  sequence.dispose();
  return logits;
}

describe.each(['dense', 'windowed', 'topk', 'left'])('a context of a model, %s', (name) => {
  test('goes back, and on as if nothing had been', async () => {
    const model = models[name];
    const ids = textOf(200);
    const sequence = model.sequence();
    await sequence.step(idsOf(ids));
    for (const id of textOf(20, 2)) await next(sequence, [id]);
    sequence.truncate(199);
    expect(sequence.length).toBe(199);
    const logits = await next(sequence, ids.slice(-1));
    expect(maxDifference(logits, await fresh(model, ids))).toBeLessThan(TOLERANCE);
    sequence.dispose();
  });

  test('is forked, and both go on by themselves', async () => {
    const model = models[name];
    const ids = textOf(150, 3);
    const [left, right] = [textOf(20, 4), textOf(20, 5)];
    const sequence = model.sequence();
    await sequence.step(idsOf(ids));
    const fork = sequence.fork();
    for (let i = 0; i < 19; i++) {
      await next(sequence, [left[i]]);
      await next(fork, [right[i]]);
    }
    for (const [one, more] of [
      [sequence, left],
      [fork, right],
    ] as const) {
      const logits = await next(one, more.slice(-1));
      const expected = await fresh(model, [...ids, ...more]);
      // bounds of pages know all tokens of a prompt, and of tokens that come one by one only the past
      if (name !== 'topk') expect(maxDifference(logits, expected)).toBeLessThan(TOLERANCE);
      expect(one.length).toBe(170);
      one.dispose();
    }
  });

  test('is as it was when a step is aborted, at its beginning or between chunks', async () => {
    const model = models[name];
    const ids = textOf(100, 6);
    const sequence = model.sequence();
    await sequence.step(idsOf(ids.slice(0, -1)));
    for (const tokens of [1, 40, 1500]) {
      const controller = new AbortController();
      const step = sequence.step(idsOf(textOf(tokens, 7)), { signal: controller.signal });
      setTimeout(() => controller.abort(), 0);
      const aborted = step.catch((error: unknown) => error);
      const outcome = await aborted;
      if (tokens === 1500) expect(outcome).toEqual(errorWith({ code: 'ABORTED' }));
      if (sequence.length > 99) sequence.truncate(99);
      expect(sequence.lengths).toEqual([99]);
    }
    const logits = await next(sequence, ids.slice(-1));
    expect(maxDifference(logits, await fresh(model, ids))).toBeLessThan(TOLERANCE);
    sequence.dispose();
  });
});

describe('a context', () => {
  test('takes steps in order, and refuses to be turned while one is under way', async () => {
    const sequence = models['dense'].sequence();
    const ids = textOf(30, 8);
    const steps = ids.map((id) => sequence.step(idsOf([id])));
    for (const turn of [
      () => sequence.fork(),
      () => sequence.truncate(0),
      () => sequence.dispose(),
    ])
      expect(turn).toThrow(errorWith({ code: 'SEQUENCE_BUSY' }));
    const last = (await Promise.all(steps)).at(-1)!['logits'].data as Float32Array;
    const { logits } = await models['dense'].forward(ids, { logits: 1 });
    expect(maxDifference(last, logits.data)).toBeLessThan(TOLERANCE);
    sequence.dispose();
    await expect(sequence.step(idsOf([5]))).rejects.toThrow(
      errorWith({ code: 'SEQUENCE_DISPOSED' }),
    );
    expect(() => sequence.fork()).toThrow(errorWith({ code: 'SEQUENCE_DISPOSED' }));
  });

  test('holds texts of unequal length, each with the rows that are its own', async () => {
    const texts = [textOf(20, 9), textOf(7, 10), textOf(13, 11)];
    const model = models['dense'];
    const sequence = model.sequence({ batch: 3 });
    const padded = texts.flatMap((text) => [
      ...text,
      ...new Array<number>(20 - text.length).fill(0),
    ]);
    const feed = { input_ids: { dims: [3, 20], data: padded } };
    const lengths = texts.map(({ length }) => length);
    const { logits } = await sequence.step(feed, { logits: 2, lengths });
    expect(logits.dims).toEqual([3, 2, 2048]);
    expect(sequence.lengths).toEqual(lengths);
    const more = await sequence.step({ input_ids: { dims: [3, 1], data: [30, 31, 32] } });
    for (const [row, text] of texts.entries()) {
      const alone = await model.forward([...text, 30 + row], { logits: 3 });
      const two = (logits.data as Float32Array).subarray(row * 2 * 2048, (row + 1) * 2 * 2048);
      expect(maxDifference(two, alone.logits.data.subarray(0, 2 * 2048))).toBeLessThan(TOLERANCE);
      const one = (more['logits'].data as Float32Array).subarray(row * 2048, (row + 1) * 2048);
      expect(maxDifference(one, alone.logits.data.subarray(2 * 2048))).toBeLessThan(TOLERANCE);
    }
    sequence.dispose();
  });

  test('with layers left to ONNX Runtime takes texts of unequal length at once, and does not go on', async () => {
    const model = models['left'];
    const sequence = model.sequence({ batch: 2 });
    const feed = { input_ids: { dims: [2, 3], data: [...textOf(3, 9), ...textOf(1, 10), 0, 0] } };
    const { logits } = await sequence.step(feed, { lengths: [3, 1] });
    for (const [row, text] of [textOf(3, 9), textOf(1, 10)].entries()) {
      const { logits: alone } = await model.forward(text, { logits: 1 });
      const own = (logits.data as Float32Array).subarray(row * 2048, (row + 1) * 2048);
      expect(maxDifference(own, alone.data)).toBeLessThan(TOLERANCE);
    }
    const refused = errorWith({
      code: 'UNSUPPORTED',
      expected: expect.stringContaining('texts of one length') as unknown,
    });
    await expect(sequence.step({ input_ids: { dims: [2, 1], data: [5, 6] } })).rejects.toThrow(
      refused,
    );
    expect(sequence.lengths).toEqual([3, 1]);
    sequence.dispose();
    const long = model.sequence({ batch: 2 });
    const lengths = [600, 300];
    const ids = { input_ids: { dims: [2, 600], data: [...textOf(600, 9), ...textOf(600, 10)] } };
    await expect(long.step(ids, { lengths })).rejects.toThrow(refused);
    expect(long.lengths).toEqual([0, 0]);
    long.dispose();
  });

  test('has no more tokens than its capacity', async () => {
    const sequence = models['dense'].sequence({ capacity: 64 });
    await sequence.step(idsOf(textOf(60)));
    const more = sequence.step(idsOf(textOf(5)));
    await expect(more).rejects.toThrow(errorWith({ code: 'CAPACITY_EXCEEDED' }));
    expect(sequence.length).toBe(60);
    sequence.dispose();
  });

  test('leaves nothing behind, whatever became of it', async () => {
    const { tensors } = backend.memory();
    const sequence = models['topk'].sequence();
    await sequence.step(idsOf(textOf(600)));
    const fork = sequence.fork();
    await fork.step(idsOf(textOf(3)));
    const controller = new AbortController();
    controller.abort();
    const { signal } = controller;
    await expect(fork.step(idsOf([7]), { signal })).rejects.toThrow(errorWith({ code: 'ABORTED' }));
    await collect(models['topk'].generate(textOf(9), { maxNewTokens: 3, sequence: fork }));
    for (const one of [sequence, fork]) one.dispose();
    expect(backend.memory().tensors).toBe(tensors);
  });
});

test('a way back that one layer refuses is taken by none', async () => {
  const strategy = windowed({ window: 64, sinks: 0 });
  const model = await adopt(modelDirectory, { backend, strategy, layers: '2-', rollback: 64 });
  const sequence = model.sequence();
  await sequence.step(idsOf(textOf(400)), { logits: 0 });
  const same = sequence.fork();
  expect(() => sequence.truncate(100)).toThrow(errorWith({ code: 'ROLLBACK_EXCEEDED' }));
  expect(sequence.length).toBe(400);
  expect(await next(sequence, [7])).toEqual(await next(same, [7]));
  for (const one of [sequence, same]) one.dispose();
  await model.dispose();
});
