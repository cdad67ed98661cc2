import { createAttention, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { testCsa } from '../../exams/judges/csa.js';
import { csa } from '../../judges/csa.js';
import { onReference } from './on-reference.js';

testCsa({ describe, it }, onReference);

describe('csa', () => {
  it('is for one kv head, as wide as its entries', () => {
    const backend = reference();
    const weight = backend.tensor(Float32Array.of(1, 1), { shape: [2] });
    const strategy = csa({
      ...{ budget: 2, indexHeads: 1, frequencies: [] },
      ...{ norm: weight, indexNorm: weight },
    });
    const create = (sizes: { heads: number; kvHeads: number; headDim: number }) => () =>
      createAttention({ backend, strategy, values: 'key', ...sizes });
    expect(create({ heads: 2, kvHeads: 2, headDim: 2 })).toThrow('expected kvHeads 1');
    expect(create({ heads: 2, kvHeads: 1, headDim: 3 })).toThrow('expected headDim 2');
  });
});
