import { createAttention, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { testPageTopk } from '../../exams/judges/page-topk.js';
import { normals, uniform } from '../../exams/judges/support/index.js';
import { pageTopk } from '../../judges/page-topk.js';
import { onReference } from './on-reference.js';

testPageTopk({ describe, it }, onReference);

describe('page-topk', () => {
  it('refuses a budget that has no room for what is forced, and stays as it is', async () => {
    const strategy = pageTopk({ budget: 8, sinks: 5 });
    const sizes = { heads: 1, headDim: 2, pageSize: 4, backend: reference() };
    const sequence = createAttention({ ...sizes, strategy }).sequence();
    const [few, many] = [normals(16, uniform(1)), normals(24, uniform(2))];
    (await sequence.attend({ query: few, key: few, value: few })).dispose();
    await expect(sequence.attend({ query: many, key: many, value: many })).rejects.toMatchObject({
      code: 'BUDGET_TOO_SMALL',
      expected: 'a pick of at least 3 units, which are forced',
      actual: 2,
    });
    expect(sequence.length).toBe(8);
  });
});
