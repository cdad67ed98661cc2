import { createAttention, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { dense } from '../src/index.js';

describe('dense', () => {
  it('reads everything that is visible', async () => {
    const attention = createAttention({
      ...{ backend: reference(), strategy: dense() },
      ...{ heads: 2, kvHeads: 1, headDim: 4 },
    });
    const query = new Float32Array(2 * 5 * 4).fill(1);
    const key = new Float32Array(5 * 4).fill(1);
    const { stats } = await attention.run({ query, key, value: key });
    expect(await stats()).toMatchObject({ density: 1, entriesRead: 1 + 2 + 3 + 4 + 5 });
  });

  it('has no options', () => {
    expect(() => dense({ budget: 3 } as never)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: 'dense: expected no options, got an unknown one, budget',
      }),
    );
  });
});
