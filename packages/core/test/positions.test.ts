import {
  fromQuery,
  type Positions,
  samePositions,
  slicePositions,
  visibleAt,
} from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { holds, whole } from './support/property.js';

const positions = whole(1, 20).chain((tokens) =>
  fc
    .array(fc.tuple(whole(0, 50), whole(0, tokens)), { minLength: 1, maxLength: 3 })
    .map((rows): Positions => ({
      first: rows.map(([first]) => first),
      counts: rows.map(([, count]) => count),
      tokens,
    })),
);

/** The absolute positions of the valid queries of each batch row. */
const standing = ({ first, counts }: Positions): number[][] =>
  first.map((start, row) => Array.from({ length: counts[row] }, (_, t) => start + t));

describe('slicePositions', () => {
  it('cuts a step so that its parts stand where it stood', () =>
    holds(fc.tuple(positions, whole(1, 20)), ([whole, size]) => {
      const parts: Positions[] = [];
      for (let start = 0; start < whole.tokens; start += size) {
        parts.push(slicePositions(whole, start, Math.min(whole.tokens, start + size)));
      }
      const joined = whole.first.map((_, row) => parts.flatMap((part) => standing(part)[row]));
      expect(joined).toEqual(standing(whole));
      expect(parts.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(whole.tokens);
    }));
});

describe('visibleAt', () => {
  it('is everything without a bound, and never less than nothing or more than there is', () => {
    expect(visibleAt(undefined, 3, 10)).toBe(10);
    expect(visibleAt(fromQuery(1), 3, 10)).toBe(4);
    expect(visibleAt(fromQuery(1), 30, 10)).toBe(10);
    expect(visibleAt(fromQuery(-9), 3, 10)).toBe(0);
    expect(visibleAt(fromQuery(1, 4), 11, 10)).toBe(3);
  });
});

describe('samePositions', () => {
  it('compares rows, counts and padding', () =>
    holds(positions, (one) => {
      expect(samePositions(one, structuredClone(one))).toBe(true);
      expect(samePositions(one, { ...one, tokens: one.tokens + 1 })).toBe(false);
      expect(samePositions(one, { ...one, first: one.first.map((n) => n + 1) })).toBe(false);
      expect(samePositions(one, { ...one, counts: one.counts.map((n) => n + 1) })).toBe(false);
      const wider = { ...one, first: [...one.first, 0], counts: [...one.counts, 0] };
      expect(samePositions(one, wider)).toBe(false);
    }));
});
