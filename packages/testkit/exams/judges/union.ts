import { createAttention, union } from '@jit-attention/core';
import fc from 'fast-check';

import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { assertSame } from '../../src/compare.js';
import { pageTopk } from '../../judges/page-topk.js';
import { windowed } from '../../judges/windowed.js';
import {
  attendCache,
  everyQuery,
  exam,
  examine,
  type Inputs,
  layerOf,
  type Place,
  placesOf,
  type Problem,
  problems,
  randomInputs,
  span,
  sum,
} from './support/index.js';
import { pageBudget, pagesRead } from './support/straight-pages.js';

interface Options {
  readonly window: number;
  readonly sinks: number;
  readonly pages: number;
}

const options: fc.Arbitrary<Options> = fc.record({
  window: fc.integer({ min: 1, max: 8 }),
  sinks: fc.integer({ min: 0, max: 3 }),
  pages: fc.integer({ min: 1, max: 3 }),
});

/** The window and the pages, each with sinks of its own. */
const bothOf = (problem: Problem, { window, sinks, pages }: Options) =>
  union(
    windowed({ window, sinks }),
    pageTopk({ budget: pageBudget(problem, 1, pages - 1), sinks: 1 }),
  );

function readsOf(
  problem: Problem,
  inputs: Inputs,
  { window, sinks, pages }: Options,
): (place: Pick<Place, 'row' | 'kvHead' | 'position'>) => number[] {
  return (place) => {
    const budget = pageBudget(problem, 1, pages - 1);
    const paged = pagesRead(problem, inputs, place, { budget, sinks: 1 });
    const inWindow = (entry: number): boolean => entry < sinks || entry > place.position - window;
    return span(0, place.position + 1).filter((entry) => inWindow(entry) || paged.includes(entry));
  };
}

export function testUnion(runner: Runner, suite: BackendSuite): void {
  runner.describe(`union, ${suite.name}`, () => {
    exam(
      runner,
      suite,
      'reads what either strategy selects',
      [problems(), options],
      async (ground, problem, chosen) => {
        const inputs = randomInputs(problem);
        const reads = readsOf(problem, inputs, chosen);
        await examine(ground, problem, {
          strategy: () => bothOf(problem, chosen),
          inputs,
          output: everyQuery(problem, (place) => attendCache(problem, inputs, place, reads(place))),
          reads: [reads],
        });
      },
    );

    exam(
      runner,
      suite,
      'reads each entry once',
      [problems({ batch: 1 }), options],
      async ({ backend }, problem, chosen) => {
        const inputs = randomInputs(problem);
        const reads = readsOf(problem, inputs, chosen);
        const attention = createAttention({
          ...layerOf(problem),
          backend,
          strategy: bothOf(problem, chosen),
        });
        const { query, key, value } = inputs;
        const result = await attention.run({
          query: query.data,
          key: key.data,
          value: value!.data,
        });
        // Counted by kv head: the query heads of a group read together.
        const readers = placesOf(problem).filter(({ head }) => head % problem.group === 0);
        const { entriesRead } = await result.stats();
        const expected = sum(readers.map((place) => reads(place).length));
        assertSame('entriesRead', [entriesRead], [expected]);
        result.dispose();
      },
    );
  });
}
