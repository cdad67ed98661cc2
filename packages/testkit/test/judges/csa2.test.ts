import { createAttention, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { testCsa2 } from '../../exams/judges/csa2.js';
import { csa2Reuse } from '../../judges/csa2-reuse.js';
import { onReference } from './on-reference.js';

testCsa2({ describe, it }, onReference);

describe('csa2', () => {
  it('asks for the plan of an earlier layer', async () => {
    const layer = { ratio: 2, window: 4, budget: 2, indexHeads: 1, indexWidth: 2 };
    const attention = createAttention({
      backend: reference(),
      strategy: csa2Reuse(layer),
      heads: 1,
      headDim: 2,
      values: 'key',
    });
    const sequence = attention.sequence();
    const token = Float32Array.of(1, 2);
    const call = sequence.attend({ query: token, key: token });
    await expect(call).rejects.toMatchObject({ code: 'MISSING_INPUT' });
    expect(sequence.length).toBe(0);
  });
});
