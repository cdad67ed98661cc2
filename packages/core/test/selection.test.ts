import {
  all,
  type Backend,
  blockSizeOf,
  type BlocksSelection,
  fromQuery,
  ranges,
  tensorsOf,
  type TokensSelection,
  unite,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { errorWith } from './support/errors.js';
import { leakFree } from './support/leaks.js';

/** Two lists of ids, and what frees them. */
function listed(backend: Backend): {
  blocks: BlocksSelection;
  tokens: TokensSelection;
  free: () => void;
} {
  const list = (): {
    ids: BlocksSelection['ids'];
    counts: BlocksSelection['counts'];
    queryBlock: 1;
  } => ({
    ids: backend.zeros({ shape: [1, 1, 1, 2], dtype: 'i32' }),
    counts: backend.zeros({ shape: [1, 1, 1], dtype: 'i32' }),
    queryBlock: 1,
  });
  const blocks: BlocksSelection = { kind: 'blocks', blockSize: 4, ...list() };
  const tokens: TokensSelection = { kind: 'tokens', ...list() };
  const free = (): void =>
    [blocks, tokens].flatMap(tensorsOf).forEach((tensor) => tensor.dispose());
  return { blocks, tokens, free };
}

describe('unite', () => {
  it('melts ranges into one', () => {
    const sinks = ranges([0, 4]);
    const recent = ranges([fromQuery(-7), fromQuery(1)]);
    expect(unite(sinks, recent)).toEqual(ranges(...sinks.ranges, ...recent.ranges));
  });

  it('is everything as soon as one part is', () =>
    leakFree((backend) => {
      const { blocks, free } = listed(backend);
      expect(unite(ranges([0, 1]), blocks, all)).toBe(all);
      free();
    }));

  it('keeps a single part as it is, and equal parts once', () =>
    leakFree((backend) => {
      const { blocks, free } = listed(backend);
      expect(unite(blocks)).toBe(blocks);
      expect(unite(blocks, blocks)).toBe(blocks);
      expect(unite(ranges(), ranges())).toEqual(ranges());
      free();
    }));

  it('flattens what was united before', () =>
    leakFree((backend) => {
      const { blocks, tokens, free } = listed(backend);
      const once = unite(ranges([0, 1]), blocks);
      expect(unite(once, unite(tokens, ranges([5, 6])), blocks)).toEqual({
        kind: 'united',
        of: [ranges([0, 1], [5, 6]), blocks, tokens],
      });
      free();
    }));

  it('refuses nothing at all', () => {
    expect(() => unite()).toThrow(errorWith({ code: 'PLAN_INVALID' }));
  });
});

describe('what a selection holds', () => {
  it('is its ids and counts, of every part', () =>
    leakFree((backend) => {
      const { blocks, tokens, free } = listed(backend);
      expect(tensorsOf(all)).toEqual([]);
      expect(tensorsOf(ranges([0, 1]))).toEqual([]);
      expect(tensorsOf(unite(ranges([0, 1]), blocks, tokens))).toEqual([
        blocks.ids,
        blocks.counts,
        tokens.ids,
        tokens.counts,
      ]);
      expect([blocks, tokens].map(blockSizeOf)).toEqual([4, 1]);
      free();
    }));
});
