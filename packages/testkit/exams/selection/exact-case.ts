import {
  type BlocksSelection,
  type Entries,
  fromQuery,
  type Interval,
  type Pick,
  type Pooling,
  type Score,
  type SelectRequest,
  type Tensor,
  threshold,
  topk,
  type TokensSelection,
} from '@jit-attention/core';
import fc from 'fast-check';

import { sizeOf } from '../../src/array.js';
import type { Bench, FloatType } from '../../src/backend/bench.js';
import { shuffled, uniform, wholes } from '../../src/random.js';
import { seeds, upTo, whole } from '../operations/support.js';

/** Sizes and options of a selection, larger than a strip of keys or a slice of units now and then. */
export interface SelectCase {
  readonly kind: 'dot' | 'bounds' | 'reluWeighted';
  readonly seed: number;
  readonly lengths: readonly number[];
  readonly kvHeads: number;
  readonly group: number;
  readonly width: number;
  readonly pageSize: number;
  readonly tokens: number;
  readonly queryBlock: number;
  readonly block: number;
  readonly pool: Pooling | undefined;
  readonly reduce: 'max' | 'sum' | 'union' | undefined;
  readonly shared: 'group' | 'all';
  readonly causal: boolean;
  readonly sinks: number;
  readonly room: number;
  readonly pick: 'topk' | 'threshold';
  readonly within: 'blocks' | 'tokens' | undefined;
  readonly dtype: 'f32' | 'f16';
}

const pools: fc.Arbitrary<Pooling | undefined> = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 2 },
  fc.record({
    stride: upTo(5),
    offset: whole(-2, 2),
    weights: fc.constant('max' as const),
    length: upTo(9),
  }),
  fc.record({
    stride: upTo(5),
    offset: whole(-2, 2),
    weights: fc.array(whole(-1, 2), { minLength: 1, maxLength: 7 }),
  }),
);

export const selectCases: fc.Arbitrary<SelectCase> = fc.record({
  kind: fc.constantFrom('dot', 'bounds', 'reluWeighted'),
  seed: seeds,
  lengths: fc.array(fc.oneof(whole(0, 30), whole(0, 900)), { minLength: 1, maxLength: 2 }),
  kvHeads: upTo(2),
  group: upTo(3),
  width: fc.constantFrom(1, 4, 6, 16),
  pageSize: fc.constantFrom(1, 16, 64, 1000),
  tokens: fc.oneof(upTo(3), upTo(20)),
  queryBlock: fc.constantFrom(1, 1, 3, 16),
  block: fc.constantFrom(1, 1, 4),
  pool: pools,
  reduce: fc.constantFrom(undefined, undefined, 'max', 'sum', 'union'),
  shared: fc.constantFrom('group', 'group', 'all'),
  causal: fc.boolean(),
  sinks: whole(0, 3),
  room: upTo(40),
  pick: fc.constantFrom('topk', 'topk', 'threshold'),
  within: fc.constantFrom(undefined, undefined, 'blocks', 'tokens'),
  dtype: fc.constantFrom('f32', 'f32', 'f16'),
});

/**
 * The request on a backend, of small whole numbers: every sum is exact in any order, so that ids are what the
 * reference says, to the last tie.
 */
export function requestOf(bench: Bench, one: SelectCase): SelectRequest {
  const { lengths, tokens, queryBlock, block, sinks } = one;
  const always: Interval[] = [
    [0, sinks],
    [fromQuery(0), fromQuery(1)],
  ];
  const forced = Math.ceil(sinks / block) + queryBlock;
  return {
    score: scoreOf(bench, one),
    over: entries(bench, one, { heads: one.kvHeads, lengths, width: 1 }, 'over'),
    positions: {
      first: lengths.map((length) => Math.max(0, length - tokens)),
      counts: lengths.map((_, row) => (row === 0 ? tokens : Math.max(0, tokens - 2))),
      tokens,
    },
    ...{ queryBlock, block, always, reduce: one.reduce, shared: one.shared },
    pool: one.kind === 'bounds' ? undefined : one.pool,
    visible: one.causal ? fromQuery(1) : undefined,
    pick: pickOf(one.pick, forced + one.room),
    within: one.within && candidates(bench, one, one.within),
  };
}

function pickOf(kind: SelectCase['pick'], room: number): Pick {
  return kind === 'topk' ? topk(room) : threshold(1, room);
}

function scoreOf(bench: Bench, one: SelectCase): Score {
  const { kind, kvHeads, group, tokens, width, lengths, block, pool } = one;
  const indexer = kind === 'reluWeighted';
  const heads = indexer ? 1 + group : kvHeads * group;
  const query = numbers(bench, one, [lengths.length, heads, tokens, width], 'query');
  const scored = pool ? lengths : lengths.map((length) => Math.ceil(length / block));
  const keys = {
    heads: indexer ? 1 : kvHeads,
    width,
    lengths: kind === 'bounds' ? units(one) : scored,
  };
  switch (kind) {
    case 'dot':
      return { kind, query, keys: entries(bench, one, keys, 'keys'), scale: 0.5 };
    case 'bounds':
      return {
        kind,
        query,
        min: entries(bench, one, keys, 'min'),
        max: entries(bench, one, keys, 'max'),
      };
    case 'reluWeighted': {
      const weights = numbers(bench, one, [lengths.length, heads, tokens, 1], 'weights');
      return { kind, query, keys: entries(bench, one, keys, 'keys'), weights, scale: 0.5 };
    }
  }
}

const units = ({ lengths, block }: SelectCase): number[] =>
  lengths.map((length) => Math.ceil(length / block));

/** Pages in random order. */
function entries(
  bench: Bench,
  one: SelectCase,
  { heads, width, lengths }: { heads: number; width: number; lengths: readonly number[] },
  name: string,
): Entries {
  const counts = lengths.map((length) => Math.ceil(length / one.pageSize));
  const pages = counts.reduce((sum, count) => sum + count, 1);
  const order = shuffled(pages, uniform(one.seed, 'pages'));
  const storage = numbers(bench, one, [pages, heads, one.pageSize, width], name, one.dtype);
  const tables = counts.map((count) => order.splice(0, count));
  return { storage, pageSize: one.pageSize, tables, lengths };
}

/** Some of the blocks or tokens, others for each few queries, for each kv head or for all. */
function candidates(
  bench: Bench,
  { seed, lengths, kvHeads, tokens, block }: SelectCase,
  kind: 'blocks' | 'tokens',
): BlocksSelection | TokensSelection {
  const next = uniform(seed, 'candidates');
  const queryBlock = 1 + Math.floor(4 * next());
  const blockSize = kind === 'tokens' ? 1 : block * (1 + Math.floor(3 * next()));
  const heads = next() < 0.5 ? 1 : kvHeads;
  const [share, most] = [next(), Math.ceil(Math.max(1, ...lengths) / blockSize)];
  const shape = [lengths.length, heads, Math.ceil(tokens / queryBlock)];
  const lists = Array.from({ length: sizeOf(shape) }, () =>
    Array.from({ length: most }, (_, id) => id).filter(() => next() < share),
  );
  const ids = new Int32Array(lists.length * most);
  lists.forEach((list, i) => ids.set(list, i * most));
  const counts = Int32Array.from(lists, (list) => list.length);
  const listed = {
    ids: bench.integers(ids, [...shape, most]),
    counts: bench.integers(counts, shape),
    queryBlock,
  };
  return kind === 'tokens' ? { kind, ...listed } : { kind, blockSize, ...listed };
}

/** Whole numbers that depend on what they are for. */
function numbers(
  bench: Bench,
  { seed }: SelectCase,
  shape: readonly number[],
  name: string,
  dtype?: FloatType,
): Tensor {
  return bench.tensor({ shape, data: wholes(sizeOf(shape), uniform(seed, name)) }, dtype);
}
