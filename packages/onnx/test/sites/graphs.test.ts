import { describe, expect, test } from 'vitest';

import { isRefusal } from '../../src/site.js';
import { FAMILIES, SIZES } from '../support/graphs/index.js';
import { matchesOf } from '../support/matches.js';
import { Original } from '../support/original.js';

const ids = [
  [1, 2, 3, 4, 5],
  [6, 7, 8, 9, 10],
];

describe.each(Object.entries(FAMILIES))('%s', (family, kinds) => {
  describe.each(kinds)('$name', (kind) => {
    test('runs in ONNX Runtime', async () => {
      const original = await Original.load((kind.twin ?? kind.write)(SIZES));
      const logits = [await original.step({ ids })];
      if (kind.causal) logits.push(await original.step({ ids: [[11], [12]] }));
      await original.release();
      expect(logits.every((values) => values.every(Number.isFinite))).toBe(true);
    });

    test('every attention is found, and nothing else', () => {
      const { model, type, sizes } = kind.write(SIZES);
      const found = matchesOf(model);
      expect(found.filter(isRefusal)).toEqual([]);
      const perLayer = kind.name === 'two in one layer' ? 2 : 1;
      const { heads, kvHeads, headDim } = sizes;
      const site = { kind: family, heads, kvHeads, headDim, valueDim: headDim, dtype: type };
      const expected = Array.from({ length: perLayer * sizes.layers }, () => site);
      expect(found).toMatchObject(expected);
    });
  });
});
