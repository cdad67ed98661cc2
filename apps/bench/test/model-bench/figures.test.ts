import { describe, expect, it } from 'vitest';

import { pooled, qualityFigures } from '../../src/model-bench/figures.js';
import type { Quality } from '../../src/model-bench/quality.js';
import {
  type Budget,
  candidateOf,
  CHOICES,
  entriesOf,
  familyOf,
  hasChoice,
  nameOf,
  TENTH,
  type Variant,
  variantsOf,
} from '../../src/model-bench/variants.js';
import { DENSE } from '../../src/candidates/built-in.js';

const variant = (
  name: string,
  budget: Budget,
  { keepsFirst = false, pageSize = 64 }: Partial<Variant> = {},
): Variant => ({
  family: name === 'dense' ? DENSE : familyOf(name),
  budget,
  keepsFirst,
  pageSize,
});

const found = (one: Variant, tokens: number, count: number, of = 10): Quality => ({
  variant: one,
  tokens,
  needles: [
    { depth: 0.25, found: Math.floor(count / 2), cases: of / 2 },
    { depth: 0.75, found: Math.ceil(count / 2), cases: of / 2 },
  ],
});

describe('variants', () => {
  it('start with dense attention, and cover budgets of 64 to 1,024, pages from 256', () => {
    const [first, ...others] = variantsOf(CHOICES.all);
    expect(nameOf(first)).toBe('dense');
    const budgetsOf = (name: string): Budget[] =>
      others.filter((one) => nameOf(one) === name).map(({ budget }) => budget);
    expect(budgetsOf('windowed')).toEqual([64, 128, TENTH, 256, 512, 1024]);
    expect(budgetsOf('topk token')).toEqual([64, 128, TENTH, 256, 512, 1024]);
    expect(budgetsOf('topk page')).toEqual([TENTH, 256, 512, 1024]);
    expect(budgetsOf('topk page, pages of 16')).toEqual([TENTH, 256, 512, 1024]);
    expect(budgetsOf('topk page, layers 2-')).toEqual([TENTH, 512]);
  });

  it('take a tenth of the context, in whole pages', () => {
    expect(entriesOf(variant('topk:token', TENTH), 1024)).toBe(102);
    expect(entriesOf(variant('topk:page', TENTH), 4096)).toBe(384);
    expect(entriesOf(variant('topk:page', TENTH, { pageSize: 16 }), 4096)).toBe(416);
    expect(candidateOf(variant('windowed', TENTH), 1000).create().options).toEqual({
      window: 96,
      sinks: 4,
    });
  });

  it('are left out where there is nothing to choose', () => {
    expect(hasChoice(variant('topk:token', 1024), 1024)).toBe(false);
    expect(hasChoice(variant('topk:token', 1024), 2048)).toBe(true);
    expect(hasChoice(variant('topk:page', TENTH), 2048)).toBe(false); // three pages
    expect(hasChoice(variant('topk:page', TENTH), 4096)).toBe(true);
    expect(hasChoice(variant('dense', undefined), 4096)).toBe(false);
  });
});

describe('figures of quality', () => {
  const dense = variant('dense', undefined);
  const tokens = variant('topk:token', TENTH);
  const pages = variant('topk:page', TENTH);

  it('pool depths', () => {
    expect(pooled(found(dense, 1024, 7).needles!)).toMatchObject({ found: 7, cases: 10 });
  });

  it('compare with dense attention at the same contexts', () => {
    const figures = qualityFigures([
      ...[found(dense, 1024, 8), found(dense, 4096, 10)],
      ...[found(tokens, 1024, 8), found(tokens, 4096, 1)],
      found(pages, 4096, 5),
    ]);
    expect(figures.map(({ what, value, atLeast }) => [what, value, atLeast])).toEqual([
      ['topk token, a tenth: codes found, of 18 that dense attention finds', 0.5, 0.98],
      ['topk page, a tenth: codes found, of 10 that dense attention finds', 0.5, 0.98],
    ]);
  });

  it('have no value where a row failed', () => {
    const failed = { variant: tokens, tokens: 1024, error: 'no' };
    const [figure] = qualityFigures([found(dense, 1024, 8), failed]);
    expect(figure.value).toBeUndefined();
  });
});
