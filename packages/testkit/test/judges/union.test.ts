import { createAttention, reference, union } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { testUnion } from '../../exams/judges/union.js';
import { pageTopk } from '../../judges/page-topk.js';
import { reuse } from '../../judges/reuse.js';
import { onReference } from './on-reference.js';

testUnion({ describe, it }, onReference);

describe('union', () => {
  it('refuses two meanings of one name that is handed on', async () => {
    const [few, many] = [pageTopk({ budget: 4 }), pageTopk({ budget: 8 })].map(reuse);
    const strategy = union(few, many);
    const attention = createAttention({ heads: 1, headDim: 2, backend: reference(), strategy });
    const token = new Float32Array(2);
    await expect(attention.run({ query: token, key: token, value: token })).rejects
      .toThrowErrorMatchingInlineSnapshot(`
      [PlanError: union: expected one meaning of 'page-topk.0' in the handoff, got two
        hint: a later layer finds it by name]
    `);
  });
});
