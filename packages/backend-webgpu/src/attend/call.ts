import { type AttendRequest, type Entries, headsOf } from '@jit-attention/core';

import { Descriptor } from '../descriptor.js';
import { floatWord, type Gpu } from '../gpu.js';
import type { Storage } from '../storage.js';
import { NAN_BITS } from './finite.js';
import { bindLists, type Parts } from './lists.js';
import type { Work } from './work.js';
import { haveSamePages, hullsIn, type Window } from './windows.js';

/** What a call is about: words 1 and on, which kernels know by these names. */
const NAMES = [
  'BATCH',
  'HEADS',
  'KV_HEADS',
  'TOKENS',
  'HEAD_DIM',
  'VALUE_DIM',
  'SCALE',
  'SOFTCAP',
  // Queries that have their lists in common, spans of them, and blocks of rows in each.
  'SPAN',
  'SPANS',
  'BLOCKS',
  // Workgroups that share the entries of a block, and the slice of the results that the first of them writes.
  'SHARES',
  'SLICE',
  // Layouts of wgsl/layout.ts.
  'KEYS',
  'VALUES',
  'VISIBLE',
  'POSITIONS',
  'INTERVALS',
  // Of walk.ts.
  'LISTS',
  'HULLS',
  // Rows of the storage that are bound, and the word of the binding at which the first begins.
  'KEYS_FIRST',
  'KEYS_END',
  'KEYS_SKIP',
  'VALUES_FIRST',
  'VALUES_END',
  'VALUES_SKIP',
  'NAN',
] as const;

/** WGSL: `word(TOKENS)`. */
export const CALL: string = NAMES.map((name, i) => `const ${name} = ${1 + i};`).join('\n');

export interface Described {
  readonly words: readonly number[];
  /** Of lists. */
  readonly buffers: readonly Storage[];
}

/** A call on one window; `slice`: the first that it writes. */
export interface Call {
  readonly request: AttendRequest;
  readonly parts: Parts;
  readonly work: Work;
  readonly window: Window;
  readonly slice: number;
}

export function describe(gpu: Gpu, { request, parts, work, window, slice }: Call): Described {
  const { query, keys, values, valueDim, visible, positions, scale, softcap = 0 } = request;
  const [batch, heads, tokens, headDim] = query.shape;
  const descriptor = new Descriptor();
  descriptor.list(NAMES.map(() => 0)); // until it is known where all else lies
  const lists = bindLists(gpu, descriptor, parts.lists);
  const words: Record<(typeof NAMES)[number], number> = {
    ...{ BATCH: batch, HEADS: heads, KV_HEADS: headsOf(keys), TOKENS: tokens },
    ...{ HEAD_DIM: headDim, VALUE_DIM: valueDim },
    ...{ SCALE: floatWord(scale), SOFTCAP: floatWord(softcap), NAN: NAN_BITS },
    ...{ SPAN: work.span, SPANS: work.spans, BLOCKS: work.blocks },
    ...{ SHARES: work.shares, SLICE: slice },
    KEYS: descriptor.entries(keys),
    VALUES: descriptor.entries(values === 'keys' ? keys : withOwnPages(values, keys)),
    VISIBLE: descriptor.bound(visible),
    POSITIONS: descriptor.positions(positions),
    INTERVALS: descriptor.intervals(parts.intervals),
    LISTS: lists.at,
    HULLS: descriptor.list(hullsIn(window.keys, keys)),
    ...boundRows(window),
  };
  const rest = descriptor.words.slice(NAMES.length);
  return { words: [...NAMES.map((name) => words[name]), ...rest], buffers: lists.buffers };
}

/** Values that lie in their pages as keys do in theirs need no table. */
function withOwnPages(values: Entries, keys: Entries): Entries {
  if (!haveSamePages(keys, values)) return values;
  // By name: of what pages are read from, these may be getters.
  const { storage, pageSize, lengths, tables } = values;
  return { storage, pageSize, lengths, tables: tables.map(() => []) };
}

type Bound = Record<`${'KEYS' | 'VALUES'}_${'FIRST' | 'END' | 'SKIP'}`, number>;

function boundRows({ keys, values }: Window): Bound {
  return {
    ...{ KEYS_FIRST: keys.first, KEYS_END: keys.first + keys.rows, KEYS_SKIP: keys.skip },
    ...{ VALUES_FIRST: values.first, VALUES_END: values.first + values.rows },
    VALUES_SKIP: values.skip,
  };
}
