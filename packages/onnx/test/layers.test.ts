import { describe, expect, test } from 'vitest';

import { parseLayers } from '../src/layers.js';
import type { Layers } from '../src/model.js';
import { errorWith } from './support/compare.js';

describe('layers', () => {
  test.each<[Layers, number[]]>([
    ['all', [0, 1, 2, 3, 4, 5]],
    ['2-', [2, 3, 4, 5]],
    ['-2', [0, 1, 2]],
    ['3', [3]],
    ['0, 3-5', [0, 3, 4, 5]],
    ['4-4,4', [4]],
    [
      [5, 1],
      [1, 5],
    ],
    [[], []],
  ])('%s', (layers, expected) => {
    expect([...parseLayers('layers', layers, 6)].sort()).toEqual(expected);
  });

  test.each<Layers>(['', '-', '6', '4-6', '5-3', 'two', '1,', [6], [0.5], [-1], 3 as never])(
    'not %s',
    (layers) => {
      expect(() => parseLayers('layers', layers, 6)).toThrow(errorWith({ code: 'INVALID_OPTION' }));
    },
  );
});
