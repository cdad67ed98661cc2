import { quantile, summarise } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { holds, whole } from './support/property.js';

describe('quantile', () => {
  it('interpolates between the two nearest ranks (R-7)', () => {
    const sorted = [1, 2, 4, 8];
    expect(quantile(sorted, 0)).toBe(1);
    expect(quantile(sorted, 0.5)).toBe(3);
    expect(quantile(sorted, 0.05)).toBeCloseTo(1.15, 12);
    expect(quantile(sorted, 1)).toBe(8);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('summarise', () => {
  it('does not depend on the order of the sample, nor change it', () =>
    holds(fc.array(whole(-100, 100), { minLength: 1 }), (sample) => {
      const copy = [...sample];
      const summary = summarise(sample);
      expect(sample).toEqual(copy);
      expect(summarise([...sample].reverse())).toEqual(summary);
      expect(summary.min).toBe(Math.min(...sample));
      expect(summary.mean).toBeCloseTo(sample.reduce((a, b) => a + b) / sample.length, 9);
      expect(summary.p5).toBeGreaterThanOrEqual(summary.min);
      expect(summary.p5).toBeLessThanOrEqual(
        quantile(
          [...sample].sort((a, b) => a - b),
          0.5,
        ),
      );
    }));

  it('has nothing to say about an empty sample', () => {
    expect(summarise([])).toEqual({ mean: NaN, p5: NaN, min: NaN });
  });
});
