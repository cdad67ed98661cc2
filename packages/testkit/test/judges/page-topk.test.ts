import { createAttention, reference } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pageTopk } from '../../judges/page-topk.js';
import {
  attendCache,
  everyQuery,
  examine,
  holds,
  mapInputs,
  normals,
  problems,
  randomInputs,
  uniform,
} from './support/index.js';
import { pageBudget, pagesRead } from './support/straight-pages.js';

describe('page-topk', () => {
  const options = fc.record({
    sinks: fc.integer({ min: 0, max: 5 }),
    /** Pages besides the sinks', the current one included; sometimes more than there are. */
    pages: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(50)),
    /** Whole numbers have equal bounds: the lower page wins. */
    ties: fc.boolean(),
  });

  it('reads the pages with the best bounds', () =>
    holds([problems(), options], async (problem, { sinks, pages, ties }) => {
      const normal = randomInputs(problem);
      const inputs = ties
        ? mapInputs(normal, (rows) => ({ ...rows, data: rows.data.map(Math.round) }))
        : normal;
      const budget = pageBudget(problem, sinks, pages - 1);
      const reads = (place: { row: number; kvHead: number; position: number }): number[] =>
        pagesRead(problem, inputs, place, { budget, sinks });
      await examine(problem, {
        strategy: () => pageTopk({ budget, sinks }),
        inputs,
        output: everyQuery(problem, (place) => attendCache(problem, inputs, place, reads(place))),
        reads: [reads],
      });
    }));

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
