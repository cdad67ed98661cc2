import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  argmax,
  divergence,
  lossOf,
  meanOf,
  perplexityChange,
  wilson,
} from '../../src/model-bench/statistics.js';

const CASES = { numRuns: Number(process.env.JIT_ATTENTION_CASES ?? 50), seed: 20266 };
const logits = (length: number): fc.Arbitrary<Float32Array> =>
  fc.float32Array({ minLength: length, maxLength: length, noNaN: true, min: -30, max: 30 });

/** The definition, in f64. */
function softmax(values: Float32Array): number[] {
  const weights = Array.from(values, Math.exp);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

describe('lossOf', () => {
  it('is what one computes by hand', () => {
    const values = Float32Array.from([1, 2, 3].map(Math.log)); // probabilities 1/6, 2/6, 3/6
    expect([0, 1, 2].map((id) => lossOf(values, id))).toEqual(
      [6, 3, 2].map((odds) => expect.closeTo(Math.log(odds), 6) as number),
    );
  });

  it('does not overflow', () => {
    expect(lossOf(Float32Array.of(1000, 0), 1)).toBe(1000);
  });
});

describe('divergence', () => {
  it('is what one computes by hand', () => {
    const p = Float32Array.from([0.5, 0.5].map(Math.log));
    const q = Float32Array.from([0.25, 0.75].map(Math.log));
    const expected = 0.5 * Math.log(0.5 / 0.25) + 0.5 * Math.log(0.5 / 0.75);
    expect(divergence(p, q)).toBeCloseTo(expected, 6);
  });

  it('is that of the definition, never below 0, and 0 for equals', () => {
    fc.assert(
      fc.property(logits(7), logits(7), (p, q) => {
        const [ofP, ofQ] = [softmax(p), softmax(q)];
        const terms = ofP.map((one, i) => one * Math.log(one / ofQ[i]));
        const expected = terms.reduce((a, b) => a + b, 0);
        expect(divergence(p, q)).toBeCloseTo(Math.max(0, expected), 9);
        expect(divergence(p, p)).toBe(0);
      }),
      CASES,
    );
  });
});

describe('argmax', () => {
  it('takes the first of equals', () => {
    expect(argmax(Float32Array.of(1, 3, 3, 2))).toBe(1);
  });
});

describe('wilson', () => {
  // Newcombe (1998), table I, method 3: score, without continuity correction
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('has the published interval of %i of %i', (found, cases, low, high) => {
    const estimate = wilson(found, cases);
    expect(estimate.value).toBe(found / cases);
    expect(estimate.low).toBeCloseTo(low, 4);
    expect(estimate.high).toBeCloseTo(high, 4);
  });

  it('holds the share, stays between 0 and 1, and is symmetric', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(), (cases, some) => {
        const found = some % (cases + 1);
        const { value, low, high } = wilson(found, cases);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        expect(high).toBeLessThanOrEqual(1);
        expect(wilson(cases - found, cases).low).toBeCloseTo(1 - high, 12);
      }),
      CASES,
    );
  });
});

describe('meanOf', () => {
  it('has the interval of the standard error', () => {
    const { value, low, high } = meanOf([1, 5, 1, 5]);
    const error = (1.959964 * Math.sqrt(16 / 3)) / 2;
    expect([value, low, high]).toEqual([3, 3 - error, 3 + error]);
  });
});

describe('perplexityChange', () => {
  it('is the ratio of perplexities, less 1, and its interval is that of pairs', () => {
    const dense = Float64Array.of(1, 5, 3);
    const losses = dense.map((loss) => loss + Math.log(1.1));
    const change = perplexityChange(losses, dense);
    for (const value of [change.value, change.low, change.high]) expect(value).toBeCloseTo(0.1, 12);
  });
});
