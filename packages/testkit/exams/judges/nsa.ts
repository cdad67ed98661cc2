import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { everyQuery, exam, examine, problems, randomInputs, requiresOf } from './support/index.js';
import { nsaCase, nsaSizes } from './support/nsa-case.js';
import { StraightNsa } from './support/straight-nsa.js';

export function testNsa(runner: Runner, suite: BackendSuite): void {
  runner.describe(`nsa, ${suite.name}`, () => {
    const weights =
      'weights three branches over three sets of keys, and reads the blocks its spans point to';
    exam(
      runner,
      suite,
      weights,
      [problems({ tokens: 60, batch: 2 }), nsaSizes],
      async (ground, problem, sizes) => {
        const { strategy, options } = nsaCase(problem, sizes);
        const inputs = randomInputs(problem, requiresOf({ strategy }));
        const straight = new StraightNsa(problem, inputs, options);
        await examine(ground, problem, {
          strategy,
          inputs,
          output: everyQuery(problem, (place) => straight.output(place)),
          reads: [
            ({ position }) => straight.visibleSpans(position),
            (place) => straight.selected(place),
            ({ position }) => straight.window(position),
          ],
        });
      },
    );
  });
}
