import { createAttention, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { testWindowed } from '../../exams/judges/windowed.js';
import { normals, uniform } from '../../exams/judges/support/index.js';
import { windowed } from '../../judges/windowed.js';
import { onReference } from './on-reference.js';

testWindowed({ describe, it }, onReference);

describe('windowed', () => {
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
