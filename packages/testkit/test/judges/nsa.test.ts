import { reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import {
  attentionsOf,
  everyQuery,
  examine,
  holds,
  problems,
  randomInputs,
  toArrays,
} from './support/index.js';
import { nsaCase, nsaSizes } from './support/nsa-case.js';
import { StraightNsa } from './support/straight-nsa.js';

describe('nsa', () => {
  it('weights three branches over three sets of keys, and reads the blocks its spans point to', () =>
    holds([problems({ tokens: 60, batch: 2 }), nsaSizes], async (problem, sizes) => {
      const { strategy, options } = nsaCase(problem, sizes);
      const inputs = randomInputs(problem, strategy(reference()).requires);
      const straight = new StraightNsa(problem, inputs, options);
      await examine(problem, {
        strategy,
        inputs,
        output: everyQuery(problem, (place) => straight.output(place)),
        reads: [
          ({ position }) => straight.visibleSpans(position),
          (place) => straight.selected(place),
          ({ position }) => straight.window(position),
        ],
      });
    }));

  it('lets raw spans and the window go, refuses to go back to them, and stays as it is', () =>
    holds([problems({ batch: 1 }), nsaSizes], async (drawn, sizes) => {
      const problem = { ...drawn, lengths: [60], rollback: 5, pageSize: 2 };
      const small = { ...sizes, span: 1, window: 3 };
      const { strategy } = nsaCase(problem, small);
      const inputs = randomInputs(problem, strategy(reference()).requires);
      const [attention] = attentionsOf(reference(), problem, [{ strategy, inputs }]);
      const sequence = attention.sequence();
      (await sequence.attend(toArrays(inputs))).dispose();
      for (const one of [sequence, sequence.fork()]) {
        expect(() => one.truncate(54)).toThrow(
          expect.objectContaining({ code: 'ROLLBACK_EXCEEDED', expected: 55, actual: 54 }),
        );
        expect(one.length).toBe(60);
        one.truncate(55);
        expect(one.length).toBe(55);
      }
    }));
});
