import { readModelConfig } from '@jit-attention/reference-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { maxDifference } from './compare.js';
import { Decoder } from './decoder.js';
import { greedy, long, short } from './fixtures.js';

const { vocab_size: vocabulary } = readModelConfig();

/** Measured: 1.5e-5. Both sides sum in f32, in different orders; logits reach about 20. */
const TOLERANCE = 1e-3;

let decoder: Decoder;
beforeAll(async () => {
  decoder = await Decoder.load();
});
afterAll(() => decoder.release());

describe('the graph against the reference logits', () => {
  it('agrees on every logit of 128 tokens', async () => {
    const { logits } = await decoder.run(short.ids);
    expect(maxDifference(logits, short.logits)).toBeLessThan(TOLERANCE);
  });

  it('agrees at four positions of 4,096 tokens', async () => {
    const { logits } = await decoder.run(long.ids);
    long.positions.forEach((position, i) => {
      const actual = logits.subarray(position * vocabulary, (position + 1) * vocabulary);
      const expected = long.logits.subarray(i * vocabulary, (i + 1) * vocabulary);
      expect(maxDifference(actual, expected), `position ${position}`).toBeLessThan(TOLERANCE);
    });
  });

  it('continues greedily as recorded', async () => {
    const { given, continued } = greedy;
    expect(await decoder.greedy(given, continued.length)).toEqual(Array.from(continued));
  });
});

describe('the key-value cache', () => {
  it('gives the same logits token by token as in one call', async () => {
    const count = 48;
    let past: Awaited<ReturnType<Decoder['run']>>['past'] | undefined;
    for (let i = 0; i < count; i++) {
      const step = await decoder.run(short.ids.subarray(i, i + 1), past);
      past = step.past;
      const expected = short.logits.subarray(i * vocabulary, (i + 1) * vocabulary);
      expect(maxDifference(step.logits, expected), `position ${i}`).toBeLessThan(TOLERANCE);
    }
  });
});
