import {
  type Bound,
  type Entries,
  fromQuery,
  type Pooling,
  type Positions,
  type Score,
} from '@jit-attention/core';

import { type HostArray, range } from '../array.js';
import { numbersFor } from '../inputs.js';
import type { HostScore } from '../oracle/scores.js';
import { layOut } from '../paged.js';
import { uniform } from '../random.js';
import type { Bench } from './bench.js';
import { type Context, materialOf } from './context.js';

/** What is scored, and what the scores are for. */
export const SCORES = [
  'dot',
  'dot of blocks',
  'softmax',
  'softmax of blocks',
  'softmax of compressed entries',
  'bounds',
  'reluWeighted',
  'reluWeighted of blocks',
  'antidiagonal',
] as const;
export type ScoreName = (typeof SCORES)[number];

/** A score and how its entries become units. */
export interface Scoring {
  readonly score: HostScore;
  readonly block: number;
  readonly pool?: Pooling | undefined;
  readonly scoreVisible?: Bound | undefined;
  /** The queries' positions, where not any. */
  readonly positions?: Positions | undefined;
}

/** Entries that one compressed entry stands for. */
const RATIO = 4;

export function scoringOf(name: ScoreName, context: Context): Scoring {
  const next = uniform(context.seed, name);
  const block = 1 + Math.floor(6 * next());
  switch (name) {
    case 'dot':
    case 'softmax':
      return { score: ofKeys(name, context), block: 1 };
    case 'dot of blocks':
      return { score: ofKeys('dot', context), block, pool: poolOf(block, next) };
    case 'softmax of blocks':
      return { score: ofKeys('softmax', context), block, pool: poolOf(block, next) };
    case 'softmax of compressed entries':
      return compressed(context);
    case 'bounds':
      return { score: bounds(context, block), block };
    case 'reluWeighted':
      return { score: reluWeighted(context), block: 1 };
    case 'reluWeighted of blocks':
      return { score: reluWeighted(context), block, pool: { stride: block, weights: 'max' } };
    case 'antidiagonal':
      return antidiagonal(context, next);
  }
}

/** A power of two for whole numbers, whose scores are exact then. */
const scaleOf = ({ numbers, headDim }: Context): number =>
  numbers === 'whole' ? 0.5 : headDim ** -0.5;

function ofKeys(kind: 'dot' | 'softmax', context: Context): HostScore {
  const { query, keyRows: keys } = materialOf(context);
  const { lengths } = context;
  const softcap = kind === 'softmax' ? context.softcap : undefined;
  return { kind, query, keys, lengths, scale: scaleOf(context), softcap };
}

/** The largest of a block's entries, or a weighted sum of them and their neighbours. */
function poolOf(stride: number, next: () => number): Pooling {
  if (next() < 0.5) return { stride, weights: 'max', length: 1 + Math.floor(next() * 2 * stride) };
  const weights = range(0, stride + 1).map(() => Math.floor(3 * next()));
  return { stride, offset: -1, weights };
}

/** Every fourth token ends an entry; units of 8 tokens take the two inside and their neighbours. */
function compressed(context: Context): Scoring {
  const { kvHeads, headDim } = context;
  const lengths = context.lengths.map((length) => Math.floor(length / RATIO));
  const shape = [lengths.length, kvHeads, Math.max(1, ...lengths), headDim];
  const keys = numbersFor(context, 'compressed', shape);
  return {
    score: { ...ofKeys('softmax', context), keys, lengths },
    block: 2 * RATIO,
    pool: { stride: 2, offset: -1, weights: [1, 2, 2] },
    scoreVisible: fromQuery(1, RATIO),
  };
}

function bounds(context: Context, block: number): HostScore {
  const { query, keyRows } = materialOf(context);
  const lengths = context.lengths.map((length) => Math.ceil(length / block));
  const [min, max] = [Math.min, Math.max].map((pick) => extremes(keyRows, context, block, pick));
  return { kind: 'bounds', query, keys: min, max, lengths, scale: 1 };
}

/** The smallest or largest of each channel in each block. */
function extremes(
  { shape, data }: HostArray,
  { lengths }: Context,
  block: number,
  pick: (...values: number[]) => number,
): HostArray {
  const [batch, heads, entries, width] = shape;
  const blocks = Math.ceil(entries / block);
  const found = new Float32Array(batch * heads * blocks * width);
  for (let i = 0; i < batch * heads * blocks; i++) {
    const [head, unit] = [Math.floor(i / blocks), i % blocks];
    const end = Math.min(lengths[Math.floor(head / heads)], (unit + 1) * block);
    const rows = range(unit * block, end).map((n) => (head * entries + n) * width);
    for (let d = 0; d < width; d++) found[i * width + d] = pick(...rows.map((at) => data[at + d]));
  }
  return { shape: [batch, heads, blocks, width], data: found };
}

/** Queries, keys and weights of an indexer with heads of its own. */
function reluWeighted(context: Context): HostScore {
  const { lengths, tokens, seed } = context;
  const [batch, heads, width] = [lengths.length, 1 + (Math.abs(seed) % 4), 16];
  const rows = (name: string, ...shape: number[]): HostArray => numbersFor(context, name, shape);
  return {
    kind: 'reluWeighted',
    query: rows('indexer query', batch, heads, tokens, width),
    keys: rows('indexer key', batch, 1, Math.max(1, ...lengths), width),
    weights: rows('indexer weight', batch, heads, tokens, 1),
    lengths,
    scale: 0.5,
  };
}

/** Queries from a multiple of the stride on; units of one or more cells. */
function antidiagonal(context: Context, next: () => number): Scoring {
  const stride = next() < 0.5 ? 2 : 4;
  const cells = 1 + Math.floor(3 * next());
  const { positions } = materialOf(context);
  return {
    score: {
      ...{ ...ofKeys('softmax', context), softcap: undefined },
      ...{ kind: 'antidiagonal', stride, queries: positions.counts },
    },
    block: stride * cells,
    pool: { stride: cells, weights: range(0, cells).map(() => 1) },
    positions: { ...positions, first: positions.first.map((at) => at - (at % stride)) },
  };
}

/** The same score on a backend. */
export function scoreOn(
  bench: Bench,
  { seed, pageSize }: Context,
  { score, scoreVisible }: Scoring,
): Score {
  const { kind, scale, softcap, lengths } = score;
  const entries = (rows: HostArray): Entries =>
    bench.entries(layOut(rows, lengths, { pageSize, next: uniform(seed, 'scored') }));
  const query = bench.tensor(score.query);
  const keys = entries(score.keys);
  switch (kind) {
    case 'dot':
      return { kind, query, keys, scale };
    case 'softmax':
      return { kind, query, keys, scale, softcap, visible: scoreVisible };
    case 'bounds':
      return { kind, query, min: keys, max: entries(score.max!) };
    case 'reluWeighted':
      return { kind, query, keys, scale, weights: bench.tensor(score.weights!) };
    case 'antidiagonal':
      return { kind, query, keys, scale, stride: score.stride! };
  }
}
