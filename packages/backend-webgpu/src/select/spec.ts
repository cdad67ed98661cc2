import {
  blockSizeOf,
  type Pooling,
  type Score,
  scoredEntries,
  type SelectRequest,
} from '@jit-attention/core';

import { Descriptor } from '../descriptor.js';
import { floatWord } from '../gpu.js';
import { LAYOUT } from '../wgsl/layout.js';
import type { Horizons } from './horizons.js';
import { type Lists, roomOf } from './lists.js';
import { ROW } from './row-table.js';

/**
 * What the kernels of a selection are told, by name: `word(NAME)`, or `real(NAME)` for floats. A name with `at` in its
 * description is where more words lie.
 */
const NAMES = [
  // The slab: runs of rows that read the same keys, rows of each, of each list, and of each slot of ranks; whether
  // slots go on from what an earlier slab left.
  'SEGMENTS',
  'SEGMENT_ROWS',
  'LIST_ROWS',
  'SLOT_ROWS',
  'RESUMES',
  // Lists: [batch, heads, QUERY_BLOCKS, CAPACITY], of QUERY_BLOCK queries each; at: units that each block may pick.
  'QUERY_BLOCKS',
  'QUERY_BLOCK',
  'CAPACITY',
  'BLOCK_UNITS',
  // Elements of a row of raw scores and of a slot of ranks, whole vectors; words of a row of bits.
  'ENTRIES',
  'UNITS',
  'BIT_WORDS',
  // The query [batch, HEADS, TOKENS, WIDTH], at: entries.
  'HEADS',
  'TOKENS',
  'WIDTH',
  'KEYS',
  'MAXIMA',
  // Rows that are bound of the storage of KEYS and MAXIMA, and the word of the binding at which the first begins;
  // whether it is the first part of them that is bound.
  'KEYS_FIRST',
  'KEYS_END',
  'KEYS_SKIP',
  'MAXIMA_FIRST',
  'MAXIMA_END',
  'MAXIMA_SKIP',
  'BEGINS',
  'SCALE',
  'SOFTCAP',
  // Queries that are scored as one row.
  'CELL',
  // Unit j is pooled from entries POOL_STRIDE * j + POOL_OFFSET + i, i < POOL_LENGTH; at: their weights.
  'POOL_STRIDE',
  'POOL_OFFSET',
  'POOL_LENGTH',
  'POOL_WEIGHTS',
  // The selected set: entries that a unit stands for; at: lengths, a bound, positions, intervals.
  'UNIT_SIZE',
  'LENGTHS',
  'VISIBLE',
  'POSITIONS',
  'ALWAYS',
  'ALWAYS_COUNT',
  'ROOM',
  'LIMIT',
  // Candidates: WITHIN_CAPACITY ids a list, of WITHIN_SIZE entries.
  'WITHIN_CAPACITY',
  'WITHIN_SIZE',
] as const;

type Name = (typeof NAMES)[number];
export type Fields = Readonly<Partial<Record<Name, number>>>;

/** WGSL that knows the words of a selection by their names. */
export const SPEC: string = `${LAYOUT}${ROW}
${NAMES.map((name, i) => `const ${name} = ${i + 1};`).join('\n')}
`;

/** The words of a selection but for those of a slab, which {@link withFields} adds. */
export function specOf(request: SelectRequest, lists: Lists, horizons: Horizons): number[] {
  const descriptor = new Descriptor();
  descriptor.list(NAMES.map(() => 0));
  const fields = {
    ...listFields(lists, horizons, descriptor),
    ...scoreFields(request.score, descriptor),
    ...poolFields(request.pool, descriptor),
    ...pickFields(request, descriptor),
    ...candidateFields(request),
    CELL: lists.cell,
  };
  return withFields(descriptor.words, fields);
}

export function withFields(words: readonly number[], fields: Fields): number[] {
  const changed = [...words];
  for (const [name, value] of Object.entries(fields)) changed[NAMES.indexOf(name as Name)] = value;
  return changed;
}

function listFields(lists: Lists, horizons: Horizons, descriptor: Descriptor): Fields {
  return {
    QUERY_BLOCKS: lists.queryBlocks,
    QUERY_BLOCK: lists.queryBlock,
    CAPACITY: lists.capacity,
    BLOCK_UNITS: descriptor.list(horizons.blocks),
    ENTRIES: wholeVectors(horizons.entries),
    UNITS: wholeVectors(horizons.units),
    BIT_WORDS: bitWords(horizons.units),
  };
}

function scoreFields(score: Score, descriptor: Descriptor): Fields {
  const [, heads, tokens, width] = score.query.shape;
  return {
    HEADS: heads,
    TOKENS: tokens,
    WIDTH: width,
    KEYS: descriptor.entries(scoredEntries(score)),
    MAXIMA: score.kind === 'bounds' ? descriptor.entries(score.max) : 0,
    SCALE: floatWord(scaleOf(score)),
    SOFTCAP: floatWord(score.kind === 'softmax' ? (score.softcap ?? 0) : 0),
  };
}

function scaleOf(score: Score): number {
  if (score.kind === 'bounds') return 1;
  return score.kind === 'antidiagonal' ? score.scale / score.stride : score.scale;
}

function poolFields(pool: Pooling | undefined, descriptor: Descriptor): Fields {
  if (!pool) return {};
  const { stride, offset = 0, weights } = pool;
  const listed = weights === 'max' ? [] : weights;
  return {
    POOL_STRIDE: stride,
    POOL_OFFSET: offset,
    POOL_LENGTH: weights === 'max' ? (pool.length ?? stride) : weights.length,
    POOL_WEIGHTS: descriptor.list(listed.map(floatWord)),
  };
}

function pickFields(request: SelectRequest, descriptor: Descriptor): Fields {
  const { pick, over, visible, positions, always = [], block = 1 } = request;
  return {
    UNIT_SIZE: block,
    LENGTHS: descriptor.list(over.lengths),
    VISIBLE: descriptor.bound(visible),
    POSITIONS: descriptor.positions(positions),
    ALWAYS: descriptor.intervals(always),
    ALWAYS_COUNT: always.length,
    ROOM: Math.min(roomOf(request), MOST_UNITS),
    LIMIT: floatWord(pick.kind === 'topp' ? pick.p : pick.kind === 'threshold' ? pick.min : 0),
  };
}

function candidateFields({ within }: SelectRequest): Fields {
  if (!within) return {};
  return { WITHIN_CAPACITY: within.ids.shape[3], WITHIN_SIZE: blockSizeOf(within) };
}

/** More than there can be, and exact as an f32. */
const MOST_UNITS = 2 ** 24;

/** Words of as many bits, at least one. */
export const bitWords = (bits: number): number => Math.max(1, Math.ceil(bits / 32));

/** Elements rounded up to vectors of four, at least one. */
export const wholeVectors = (elements: number): number => 4 * Math.max(1, Math.ceil(elements / 4));
