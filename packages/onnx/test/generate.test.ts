import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import { holds } from '@jit-attention/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeSampler } from '../src/generate/sampling.js';
import { type AdoptedModel, adopt, type SamplingOptions } from '../src/index.js';
import { collect, errorWith, maxDifference } from './support/compare.js';
import { idsOf, textOf } from './support/text.js';

describe('sampling', () => {
  const logits = fc
    .array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 40 })
    .map((values) => Float32Array.from(values, (value) => value / 4));

  test('takes none but the most probable, as many as topK and topP allow', () =>
    holds(
      [logits, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 100 }), fc.nat()],
      (values, topK, percent, seed) => {
        const topP = percent / 100;
        const token = makeSampler({ topK, topP, seed })(values);
        const above = values.filter((value) => value > values[token]);
        expect(above.length).toBeLessThan(topK);
        const kept = [...values].sort((a, b) => b - a).slice(0, topK);
        const mass = (some: ArrayLike<number>): number =>
          Array.from(some, Math.exp).reduce((a, b) => a + b, 0);
        expect(mass(above)).toBeLessThan(topP * mass(kept) * (1 + 1e-6));
        return Promise.resolve();
      },
    ));

  test('is greedy at temperature 0, and without options', () =>
    holds([logits], (values) => {
      const best = values.indexOf(Math.max(...values));
      expect(makeSampler(undefined)(values)).toBe(best);
      expect(makeSampler({ temperature: 0 })(values)).toBe(best);
      return Promise.resolve();
    }));

  test('follows the probabilities, and the seed', () => {
    const values = Float32Array.of(Math.log(0.5), Math.log(0.3), Math.log(0.2));
    const draw = (options: SamplingOptions): number[] => {
      const sample = makeSampler(options);
      return Array.from({ length: 4000 }, () => sample(values));
    };
    const share = (tokens: number[], token: number): number =>
      tokens.filter((one) => one === token).length / tokens.length;
    const drawn = draw({ seed: 3 });
    expect(drawn).toEqual(draw({ seed: 3 }));
    expect(drawn).not.toEqual(draw({ seed: 4 }));
    // five standard deviations of 4,000 draws
    expect(Math.abs(share(drawn, 0) - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(share(drawn, 2) - 0.2)).toBeLessThan(0.04);
    // squared: 25, 9 and 4 of 38
    expect(Math.abs(share(draw({ temperature: 0.5 }), 0) - 25 / 38)).toBeLessThan(0.04);
  });

  test.each<SamplingOptions>([
    { temperature: -1 },
    { temperature: NaN },
    { topK: 0 },
    { topP: 0 },
    { topP: 1.1 },
    { seed: 0.5 },
    { penalty: 2 } as SamplingOptions,
  ])('refuses %o', (options) => {
    expect(() => makeSampler(options)).toThrow(errorWith({ code: 'INVALID_OPTION' }));
  });
});

describe('generating', () => {
  let backend: Backend;
  let model: AdoptedModel;
  beforeAll(async () => {
    backend = await cpu();
    model = await adopt(modelDirectory, { backend, verify: false });
  });
  afterAll(async () => {
    await model.dispose();
    await backend.dispose?.();
  });

  test('ends with a stop token, which is given as well', async () => {
    const tokens = await collect(model.generate(textOf(30), { maxNewTokens: 10, stop: [] }));
    const at = tokens.findIndex((token, i) => i > 2 && tokens.indexOf(token) === i);
    const stopped = await collect(model.generate(textOf(30), { stop: [tokens[at]] }));
    expect(stopped).toEqual(tokens.slice(0, at + 1));
  });

  test('ends where the positions of the model end', async () => {
    const sequence = model.sequence();
    await sequence.step(idsOf(textOf(8188)), { logits: 0 });
    const tokens = await collect(model.generate([5], { sequence, stop: [] }));
    expect(tokens.length).toBe(4);
    expect(sequence.length).toBe(8192);
    sequence.dispose();
  });

  test('leaves a context that goes on after an abort', async () => {
    const sequence = model.sequence();
    const controller = new AbortController();
    const { signal } = controller;
    const tokens: number[] = [];
    const run = async (): Promise<void> => {
      for await (const token of model.generate(textOf(20), { sequence, signal, stop: [] })) {
        tokens.push(token);
        if (tokens.length === 5) controller.abort();
      }
    };
    await expect(run()).rejects.toThrow(errorWith({ code: 'ABORTED' }));
    expect(sequence.length).toBe(20 + 4);
    const { logits } = await sequence.step(idsOf(tokens.slice(-1)));
    const all = await model.forward([...textOf(20), ...tokens], { logits: 1 });
    expect(maxDifference(logits.data as Float32Array, all.logits.data)).toBeLessThan(1e-4);
    sequence.dispose();
  });

  test('several at a time, of one model, do not disturb each other', async () => {
    const prompts = [1, 2, 3].map((seed) => textOf(40 * seed, seed));
    const options = { maxNewTokens: 20, stop: [], sampling: { temperature: 0.8, topP: 0.9 } };
    const alone: number[][] = [];
    for (const ids of prompts) alone.push(await collect(model.generate(ids, options)));
    const together = await Promise.all(prompts.map((ids) => collect(model.generate(ids, options))));
    expect(together).toEqual(alone);
  });

  test.each<[string, () => AsyncGenerator<number>]>([
    ['no ids', () => model.generate([])],
    ['a number of tokens that is none', () => model.generate([5], { maxNewTokens: -1 })],
    ['an option that nobody knows', () => model.generate([5], { beams: 2 } as never)],
  ])('refuses %s', async (_, make) => {
    await expect(collect(make())).rejects.toThrow(errorWith({ code: 'INVALID_OPTION' }));
  });
});
