import fc from 'fast-check';

import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { windowed } from '../../judges/windowed.js';
import {
  attendCache,
  everyQuery,
  exam,
  examine,
  problems,
  randomInputs,
  span,
} from './support/index.js';

const options = fc.record({
  window: fc.integer({ min: 1, max: 12 }),
  sinks: fc.integer({ min: 0, max: 5 }),
});

export function testWindowed(runner: Runner, suite: BackendSuite): void {
  runner.describe(`windowed, ${suite.name}`, () => {
    exam(
      runner,
      suite,
      'reads the sinks and the window, each entry once',
      [problems(), options],
      async (ground, problem, { window, sinks }) => {
        const inputs = randomInputs(problem);
        const reads = (position: number): number[] =>
          span(0, position + 1).filter((entry) => entry < sinks || entry > position - window);
        await examine(ground, problem, {
          strategy: () => windowed({ window, sinks }),
          inputs,
          output: everyQuery(problem, (place) =>
            attendCache(problem, inputs, place, reads(place.position)),
          ),
          reads: [({ position }) => reads(position)],
        });
      },
    );
  });
}
