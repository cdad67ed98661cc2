import { createAttention, reference } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pageTopk } from '../../judges/page-topk.js';
import {
  assertClose,
  attendCache,
  everyQuery,
  examine,
  holds,
  type Inputs,
  layerOf,
  mapInputs,
  normals,
  type Place,
  type Problem,
  problems,
  randomInputs,
  type Rows,
  toArrays,
  uniform,
} from './support/index.js';
import { pageBudget, pagesRead } from './support/straight-pages.js';

type Reads = (place: Pick<Place, 'row' | 'kvHead' | 'position'>) => number[];

/** Whole numbers have equal bounds: the lower page wins. */
function inputsOf(problem: Problem, ties: boolean): Inputs {
  const inputs = randomInputs(problem);
  const rounded = (rows: Rows): Rows => ({ ...rows, data: rows.data.map(Math.round) });
  return ties ? mapInputs(inputs, rounded) : inputs;
}

describe('page-topk', () => {
  const options = fc.record({
    sinks: fc.integer({ min: 0, max: 5 }),
    /** Pages besides the sinks', the current one included; sometimes more than there are. */
    pages: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(50)),
    ties: fc.boolean(),
  });

  it('reads the pages with the best bounds', () =>
    holds([problems(), options], async (problem, { sinks, pages, ties }) => {
      const inputs = inputsOf(problem, ties);
      const budget = pageBudget(problem, sinks, pages - 1);
      const reads: Reads = (place) => pagesRead(problem, inputs, place, { budget, sinks });
      await examine(problem, {
        strategy: () => pageTopk({ budget, sinks }),
        inputs,
        output: everyQuery(problem, (place) => attendCache(problem, inputs, place, reads(place))),
        reads: [reads],
      });
    }));

  it('reads the pages of an encoder, the last one partly filled', () =>
    holds([problems(), options], async (problem, { sinks, pages, ties }) => {
      const { lengths } = problem;
      const inputs = inputsOf(problem, ties);
      const budget = pageBudget(problem, sinks, pages - 1);
      const reads: Reads = (place) =>
        pagesRead(problem, inputs, place, { budget, sinks }, lengths[place.row]);
      const attention = createAttention({
        ...layerOf(problem),
        backend: reference(),
        strategy: pageTopk({ budget, sinks }),
      });
      const batch = lengths.length;
      const result = await attention.run({ ...toArrays(inputs), batch, lengths, causal: false });
      assertClose(
        'encoder',
        await result.output.data(),
        everyQuery(problem, (place) => attendCache(problem, inputs, place, reads(place))),
      );
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
