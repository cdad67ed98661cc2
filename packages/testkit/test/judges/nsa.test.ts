import { reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { testNsa } from '../../exams/judges/nsa.js';
import {
  attentionsOf,
  problems,
  randomInputs,
  requiresOf,
  toArrays,
} from '../../exams/judges/support/index.js';
import { nsaCase, nsaSizes } from '../../exams/judges/support/nsa-case.js';
import { Bench } from '../../src/backend/bench.js';
import { holds } from '../../src/index.js';
import { onReference } from './on-reference.js';

testNsa({ describe, it }, onReference);

describe('nsa', () => {
  it('lets raw spans and the window go, refuses to go back to them, and stays as it is', () =>
    holds([problems({ batch: 1 }), nsaSizes], async (drawn, sizes) => {
      const problem = { ...drawn, lengths: [60], rollback: 5, pageSize: 2 };
      const small = { ...sizes, span: 1, window: 3 };
      const { strategy } = nsaCase(problem, small);
      const inputs = randomInputs(problem, requiresOf({ strategy }));
      const [attention] = attentionsOf(new Bench(reference()), problem, [{ strategy, inputs }]);
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
