import { createAttention } from '@jit-attention/core';
import fc from 'fast-check';

import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { assertClose } from '../../src/compare.js';
import { pageTopk } from '../../judges/page-topk.js';
import {
  attendCache,
  everyQuery,
  exam,
  examine,
  type Inputs,
  layerOf,
  mapInputs,
  type Place,
  type Problem,
  problems,
  randomInputs,
  type Rows,
  toArrays,
} from './support/index.js';
import { pageBudget, pagesRead } from './support/straight-pages.js';

type Reads = (place: Pick<Place, 'row' | 'kvHead' | 'position'>) => number[];

/** Whole numbers have equal bounds: the lower page wins. */
function inputsOf(problem: Problem, ties: boolean): Inputs {
  const inputs = randomInputs(problem);
  const rounded = (rows: Rows): Rows => ({ ...rows, data: rows.data.map(Math.round) });
  return ties ? mapInputs(inputs, rounded) : inputs;
}

const options = fc.record({
  sinks: fc.integer({ min: 0, max: 5 }),
  /** Pages besides the sinks', the current one included; sometimes more than there are. */
  pages: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(50)),
  ties: fc.boolean(),
});

export function testPageTopk(runner: Runner, suite: BackendSuite): void {
  runner.describe(`page-topk, ${suite.name}`, () => {
    const cases = [problems(), options] as const;
    exam(
      runner,
      suite,
      'reads the pages with the best bounds',
      [...cases],
      async (ground, problem, { sinks, pages, ties }) => {
        const inputs = inputsOf(problem, ties);
        const budget = pageBudget(problem, sinks, pages - 1);
        const reads: Reads = (place) => pagesRead(problem, inputs, place, { budget, sinks });
        await examine(ground, problem, {
          strategy: () => pageTopk({ budget, sinks }),
          inputs,
          output: everyQuery(problem, (place) => attendCache(problem, inputs, place, reads(place))),
          reads: [reads],
        });
      },
    );

    const encoder = 'reads the pages of an encoder, the last one partly filled';
    exam(
      runner,
      suite,
      encoder,
      [...cases],
      async ({ backend, tolerance }, problem, { sinks, pages, ties }) => {
        const { lengths } = problem;
        const inputs = inputsOf(problem, ties);
        const budget = pageBudget(problem, sinks, pages - 1);
        const reads: Reads = (place) =>
          pagesRead(problem, inputs, place, { budget, sinks }, lengths[place.row]);
        const attention = createAttention({
          ...layerOf(problem),
          backend,
          strategy: pageTopk({ budget, sinks }),
        });
        const batch = lengths.length;
        const result = await attention.run({ ...toArrays(inputs), batch, lengths, causal: false });
        assertClose(
          'encoder',
          await result.output.data(),
          everyQuery(problem, (place) => attendCache(problem, inputs, place, reads(place))),
          { tolerance },
        );
        result.dispose();
      },
    );
  });
}
