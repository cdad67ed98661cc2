import { type AttentionStrategy, createAttention, fromQuery, ranges } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { CONFIGURATIONS, named, onCpu } from './support/backends.js';
import { normals } from './support/numbers.js';

/** Reads the last 64 entries, and lets go of what lies before. */
const newest: AttentionStrategy = {
  name: 'newest',
  apiVersion: 1,
  supports: { exact: true, sync: true, bidirectional: false },
  plan: () => ({
    branches: [{ keys: 'cache', selection: ranges([fromQuery(-63), fromQuery(1)]) }],
  }),
  dead: (length) => [[0, length - 63]],
};

describe('decoding', () => {
  it.each(CONFIGURATIONS.map((options) => [named(options), options] as const))(
    'leaks nothing in 1,000 steps: %s',
    (_, options) =>
      onCpu(options, async (backend) => {
        const sizes = { heads: 4, kvHeads: 2, headDim: 16 };
        const attention = createAttention({ backend, strategy: newest, ...sizes, rollback: 64 });
        const sequence = attention.sequence();
        const [query, key, value] = [4, 2, 2].map((heads) => normals(heads * 16, heads));
        const held: object[] = [];
        for (let step = 1; step <= 1000; step++) {
          const result = await sequence.attend({ query, key, value });
          result.dispose();
          if (step % 200 === 0) held.push(backend.memory());
        }
        expect(new Set(held.slice(1).map((one) => JSON.stringify(one))).size).toBe(1);
        sequence.dispose();
        expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
      }),
  );
});
