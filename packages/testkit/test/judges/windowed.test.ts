import { createAttention, reference } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { windowed } from '../../judges/windowed.js';
import {
  attendCache,
  everyQuery,
  examine,
  holds,
  normals,
  problems,
  randomInputs,
  span,
  uniform,
} from './support/index.js';

describe('windowed', () => {
  const options = fc.record({
    window: fc.integer({ min: 1, max: 12 }),
    sinks: fc.integer({ min: 0, max: 5 }),
  });

  it('reads the sinks and the window, each entry once', () =>
    holds([problems(), options], async (problem, { window, sinks }) => {
      const inputs = randomInputs(problem);
      const reads = (position: number): number[] =>
        span(0, position + 1).filter((entry) => entry < sinks || entry > position - window);
      await examine(problem, {
        strategy: () => windowed({ window, sinks }),
        inputs,
        output: everyQuery(problem, (place) =>
          attendCache(problem, inputs, place, reads(place.position)),
        ),
        reads: [({ position }) => reads(position)],
      });
    }));

  const sizes = { heads: 1, headDim: 2, pageSize: 4, rollback: 5 };
  const token = normals(2, uniform(1));

  it('decodes in flat memory', async () => {
    const strategy = windowed({ window: 8, sinks: 4 });
    const sequence = createAttention({ ...sizes, backend: reference(), strategy }).sequence();
    const bytes: number[] = [];
    for (let i = 0; i < 100; i++) {
      (await sequence.attend({ query: token, key: token, value: token })).dispose();
      bytes.push(sequence.bytes);
    }
    // A page of sinks, and the pages that the last 8 + 5 tokens touch.
    expect(Math.max(...bytes)).toBeLessThanOrEqual((1 + 5) * 4 * 2 * 2 * 4);
  });

  it('refuses to go back to entries it let go, and stays as it is', async () => {
    const strategy = windowed({ window: 2 });
    const sequence = createAttention({ ...sizes, backend: reference(), strategy }).sequence();
    const many = normals(40, uniform(2));
    (await sequence.attend({ query: many, key: many, value: many })).dispose();
    expect(() => sequence.truncate(14)).toThrow(
      expect.objectContaining({ code: 'ROLLBACK_EXCEEDED', expected: 15, actual: 14 }),
    );
    expect(sequence.length).toBe(20);
    sequence.truncate(15);
    expect(sequence.length).toBe(15);
  });
});
