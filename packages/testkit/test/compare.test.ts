import { describe, expect, it } from 'vitest';

import { assertClose, compare } from '../src/index.js';

describe('compare', () => {
  it('finds the worst place, and the error as a whole', () => {
    expect(compare([3, 4, 1], [3, 4, 0])).toEqual({
      ...{ worst: 2, actual: 1, expected: 0, max: 1, mean: 1 / 3 },
      ...{ relative: 1 / 5, absolute: Math.sqrt(1 / 3) },
    });
  });

  it('is absolute where nothing is expected', () => {
    expect(compare([0, 0.5], [0, 0]).relative).toBe(0.5);
  });

  it('takes infinities and NaN for themselves only', () => {
    const special = [Infinity, -Infinity, NaN];
    expect(compare(special, special).relative).toBe(0);
    for (const wrong of [[Infinity], [NaN], [-Infinity]]) {
      expect(compare([1], wrong).relative).toBe(Infinity);
      expect(compare(wrong, [1]).relative).toBe(Infinity);
    }
  });
});

describe('assertClose', () => {
  it('says where, what, and by how much', () => {
    const close = () =>
      assertClose('output', [1, 2, 3, 5], [1, 2, 3, 4], { tolerance: 0.01, shape: [2, 2] });
    expect(close).toThrowErrorMatchingInlineSnapshot(`
      [Error: output: expected relative error of at most 0.01, got 1.83e-1
        worst at [1, 1]: expected 4, got 5
        largest error 1.00e+0, mean 2.50e-1]
    `);
  });

  it('measures logarithms by their difference', () => {
    assertClose('sums', [1e-9], [2e-9], { tolerance: 1e-6, logarithms: true });
    expect(() => assertClose('sums', [1e-9], [2e-9], { tolerance: 1e-6 })).toThrow('relative');
  });

  it('refuses another number of numbers', () => {
    expect(() => assertClose('output', [1], [1, 2], { tolerance: 1 })).toThrow(
      'output: expected 2 numbers, got 1',
    );
  });
});
