import { createAttention, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { windowed, type WindowedOptions } from '../src/index.js';

const layer = { heads: 1, headDim: 1, pageSize: 4 };

/** The entries that each of `tokens` queries reads: values are one-hot, and all logits are 0. */
async function reads(
  options: WindowedOptions,
  { tokens, causal }: { tokens: number; causal: boolean },
): Promise<number[][]> {
  const strategy = windowed(options);
  const attention = createAttention({
    ...{ backend: reference(), strategy, ...layer, valueDim: tokens },
  });
  const zeros = new Float32Array(tokens);
  const value = Float32Array.from({ length: tokens * tokens }, (_, i) =>
    i % (tokens + 1) === 0 ? 1 : 0,
  );
  const { output } = await attention.run({ query: zeros, key: zeros, value, causal });
  const weights = await output.data();
  return Array.from({ length: tokens }, (_, t) =>
    [...weights.subarray(t * tokens, (t + 1) * tokens).entries()]
      .filter(([, weight]) => weight > 0)
      .map(([entry]) => entry),
  );
}

describe('windowed', () => {
  it('reads the sinks and the newest entries', async () => {
    expect(await reads({ window: 2, sinks: 1 }, { tokens: 5, causal: true })).toEqual([
      [0],
      [0, 1],
      [0, 1, 2],
      [0, 2, 3],
      [0, 3, 4],
    ]);
  });

  it('reads to both sides where attention is not causal', async () => {
    expect(await reads({ window: 2, sinks: 0 }, { tokens: 5, causal: false })).toEqual([
      [0, 1],
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [3, 4],
    ]);
  });

  it('has four sinks unless told', async () => {
    const read = await reads({ window: 1 }, { tokens: 7, causal: true });
    expect(read.at(-1)).toEqual([0, 1, 2, 3, 6]);
  });

  it.each([
    [{ window: 0 }, 'window to be a whole number from 1, got 0'],
    [{ window: 1.5 }, 'window to be a whole number from 1, got 1.5'],
    [{ window: NaN }, 'window to be a whole number from 1, got NaN'],
    [{}, 'window to be a whole number from 1, got undefined'],
    [{ window: 4, sinks: -1 }, 'sinks to be a whole number from 0, got -1'],
    [{ window: 4, size: 3 }, 'only the options window, sinks, got an unknown one, size'],
    [undefined, 'only the options window, sinks, got undefined'],
  ])('refuses %j', (options, message) => {
    expect(() => windowed(options as WindowedOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: `windowed: expected ${message}` }),
    );
  });
});

describe('windowed decoding', () => {
  const decode = async (steps: number, { window = 8, sinks = 2, rollback = 6 } = {}) => {
    const backend = reference();
    const strategy = windowed({ window, sinks });
    const sequence = createAttention({ backend, strategy, ...layer, rollback }).sequence();
    const held: number[] = [];
    for (let step = 0; step < steps; step++) {
      const [query, key, value] = [1, 2, 3].map((i) => Float32Array.of(Math.sin(i * step)));
      (await sequence.attend({ query, key, value })).dispose();
      held.push(sequence.bytes);
    }
    return { backend, sequence, held };
  };

  it('runs in flat memory', async () => {
    const { backend, held } = await decode(100);
    const early = backend.memory();
    expect(Math.max(...held.slice(50))).toBe(Math.max(...held.slice(25, 50)));
    // Sinks, window and rollback, each in whole pages, of keys and values of 4 bytes.
    expect(Math.max(...held)).toBeLessThanOrEqual((1 + 3 + 3) * layer.pageSize * 2 * 4);
    expect((await decode(1000)).backend.memory()).toEqual(early);
  });

  it('goes back as far as rollback says, and no further', async () => {
    const { sequence } = await decode(60);
    expect(() => sequence.truncate(40)).toThrow(
      expect.objectContaining({ code: 'ROLLBACK_EXCEEDED', actual: 40 }),
    );
    expect(sequence.length).toBe(60);
    sequence.truncate(54);
    expect(sequence.length).toBe(54);
  });
});
