import { createAttention, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { topk, type TopkOptions } from '../src/index.js';

const attentionOf = (options: TopkOptions, pageSize = 16) =>
  createAttention({
    ...{ backend: reference(), strategy: topk(options) },
    ...{ heads: 1, headDim: 4, pageSize },
  });

describe('options of topk', () => {
  it.each([
    [{}, 'budget to be a whole number from 1, got undefined'],
    [{ budget: 0 }, 'budget to be a whole number from 1, got 0'],
    [{ budget: -8 }, 'budget to be a whole number from 1, got -8'],
    [{ budget: 2.5 }, 'budget to be a whole number from 1, got 2.5'],
    [{ budget: NaN }, 'budget to be a whole number from 1, got NaN'],
    [{ budget: 64, granularity: 'block' }, "granularity to be 'token' or 'page', got block"],
    [{ budget: 64, sinks: -1 }, 'sinks to be a whole number from 0, got -1'],
    [{ budget: 64, recent: 0.5 }, 'recent to be a whole number from 0, got 0.5'],
    [{ budget: 64, queryBlock: 0 }, 'queryBlock to be a whole number from 1, got 0'],
    [
      { budget: 64, rankBy: 'logit' },
      "rankBy with granularity 'token' only: pages rank by bounds, got logit",
    ],
    [
      { budget: 64, granularity: 'token', rankBy: 'mass' },
      "rankBy to be 'probability' or 'logit', got mass",
    ],
    [
      { budgets: 64 },
      'only the options budget, granularity, sinks, recent, queryBlock, rankBy, got an unknown one, budgets',
    ],
  ])('%j is refused', (options, message) => {
    expect(() => topk(options as TopkOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: `topk: expected ${message}` }),
    );
  });

  it('are kept as given, to be shown', () => {
    expect(topk({ budget: 64, sinks: 2 }).options).toEqual({ budget: 64, sinks: 2 });
  });
});

describe('a budget below what is forced', () => {
  const refusal = (budget: number, message: string): unknown =>
    expect.objectContaining({
      ...{ code: 'BUDGET_TOO_SMALL', actual: budget },
      message: expect.stringContaining(message) as string,
    });

  it('is refused at once where entries are picked', () => {
    expect(() => topk({ budget: 5, granularity: 'token', sinks: 4, recent: 2 })).toThrow(
      refusal(5, 'a budget of at least 6 entries, as sinks (4) and recent (2) force 6 entries'),
    );
    topk({ budget: 6, granularity: 'token', sinks: 4, recent: 2 });
  });

  it('counts what is recent for any query of a block', () => {
    const options = { granularity: 'token', sinks: 0, recent: 2, queryBlock: 8 } as const;
    expect(() => topk({ ...options, budget: 8 })).toThrow(refusal(8, 'at least 9 entries'));
    topk({ ...options, budget: 9 });
  });

  it('is refused by the layer where pages are picked', () => {
    // The page of the sinks, and the query's own.
    expect(() => attentionOf({ budget: 16 })).toThrow(refusal(16, 'force 2 pages of 16'));
    attentionOf({ budget: 17 });
    attentionOf({ budget: 1, sinks: 0 });
  });

  it('counts every page that recent entries may touch', () => {
    expect(() => attentionOf({ budget: 32, recent: 2 })).toThrow(refusal(32, 'force 3 pages'));
    attentionOf({ budget: 33, recent: 17 });
    expect(() => attentionOf({ budget: 48, recent: 18 })).toThrow(refusal(48, 'force 4 pages'));
  });
});
