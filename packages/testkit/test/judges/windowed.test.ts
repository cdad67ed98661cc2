import fc from 'fast-check';
import { describe, it } from 'vitest';

import { windowed } from '../../judges/windowed.js';
import {
  attendTo,
  everyQuery,
  examine,
  holds,
  matrix,
  problems,
  randomInputs,
  span,
} from './support/index.js';

const options = fc.record({
  window: fc.integer({ min: 1, max: 12 }),
  sinks: fc.integer({ min: 0, max: 5 }),
});

describe('windowed', () => {
  it('reads the sinks and the window, each entry once', () =>
    holds([problems(), options], async (problem, { window, sinks }) => {
      const inputs = randomInputs(problem);
      const read = (position: number): number[] =>
        span(0, position + 1).filter((entry) => entry < sinks || entry > position - window);
      const output = everyQuery(problem, ({ row, head, kvHead, position }) =>
        attendTo(read(position), {
          query: matrix(inputs.query, problem, row, head)[position],
          keys: matrix(inputs.key, problem, row, kvHead),
          values: matrix(inputs.value!, problem, row, kvHead),
          scale: problem.headDim ** -0.5,
          width: problem.valueDim,
        }),
      );
      const strategy = () => windowed({ window, sinks });
      await examine(problem, {
        strategy,
        inputs,
        output,
        reads: [({ position }) => read(position)],
      });
    }));
});
