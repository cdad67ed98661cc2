import { type Bound, fromQuery, type Positions } from '@jit-attention/core';
import fc from 'fast-check';

import type { HostArray } from '../array.js';
import { cutRows, numbersFor, starts } from '../inputs.js';
import { type HostEntries, layOut } from '../paged.js';
import { headsOf, type Problem, problems } from '../problem.js';
import { uniform } from '../random.js';
import { codeRows } from './arrays.js';
import { scaleByLogits } from '../tolerances.js';

/** Queries of a step and what they attend to; more than a `Problem`, as positions and visibility are free. */
export interface Context extends Problem {
  /** Queries of a step, padding included. */
  readonly tokens: number;
  readonly visible: Bound | undefined;
  /** The last batch row has no entries. */
  readonly empty: boolean;
  /** Some batch rows have fewer queries than `tokens`. */
  readonly ragged: boolean;
}

const BOUNDS: readonly (Bound | undefined)[] = [undefined, fromQuery(1), fromQuery(0, 4), 7];

export function contexts(): fc.Arbitrary<Context> {
  const more = fc.record({
    tokens: fc.integer({ min: 1, max: 9 }),
    visible: fc.constantFrom(...BOUNDS),
    empty: fc.constantFrom(false, false, false, true),
  });
  return fc.tuple(problems(), more).map(([problem, { empty, ...rest }]) => {
    const last = problem.lengths.length - 1;
    const lengths = problem.lengths.map((length, row) => (empty && row === last ? 0 : length));
    return { ...problem, ...rest, empty, ragged: true, lengths };
  });
}

/**
 * Contexts of so many normal numbers that the error which rounding leaves in the whole of them hardly varies. (With
 * a few numbers, some of which cancel, it can be anything.)
 */
export function steadyContexts(): fc.Arbitrary<Context> {
  const sizes = fc.record({
    seed: fc.noShrink(fc.integer()),
    headDim: fc.constantFrom(16, 64, 128),
  });
  return sizes.map(({ seed, headDim }) => ({
    ...{ seed, headDim, valueDim: headDim, numbers: 'normal', values: 'own' },
    ...{ lengths: [64], kvHeads: 4, group: 2, pageSize: 16, tokens: 16 },
    ...{ visible: undefined, softcap: undefined, sinkLogits: false, empty: false, ragged: false },
  }));
}

/** A context's numbers on the host. */
export interface Material {
  /** `[batch, heads, tokens, headDim]` */
  readonly query: HostArray;
  /** `[batch, kvHeads, entries, headDim]`, contiguous. */
  readonly keyRows: HostArray;
  readonly valueRows: HostArray;
  /** The same in pages. */
  readonly keys: HostEntries;
  readonly values: HostEntries | 'keys';
  readonly positions: Positions;
}

/** Storage of which the numbers are taken, so that rounding to it is exact on every backend. */
export function materialOf(context: Context, codes: 'f32' | 'f16' | 'i8' = 'f32'): Material {
  const { seed, lengths, kvHeads, headDim, valueDim, tokens, pageSize } = context;
  const batch = lengths.length;
  const entries = Math.max(1, ...lengths);
  const rows = (name: string, width: number): HostArray => {
    const shape = [batch, kvHeads, entries, width];
    return codes === 'i8' ? codeRows(seed, name, shape) : numbersFor(context, name, shape);
  };
  const keyRows = rows('key', headDim);
  const valueRows = context.values === 'key' ? keyRows : rows('value', valueDim);
  const pages = { pageSize, next: uniform(seed, 'pages'), filler: codes === 'i8' ? 1e3 : NaN };
  const positions = positionsOf(context);
  const query = numbersFor(context, 'query', [batch, headsOf(context), tokens, headDim]);
  return {
    // Padding is NaN, which nobody may read.
    query: cutRows(query, starts(lengths), positions.counts, tokens),
    keyRows,
    valueRows,
    keys: layOut(keyRows, lengths, pages),
    values: context.values === 'key' ? 'keys' : layOut(valueRows, lengths, pages),
    positions,
  };
}

/** Queries anywhere in or behind the entries. */
function positionsOf({ seed, lengths, tokens, ragged }: Context): Positions {
  const next = uniform(seed, 'positions');
  const below = (end: number): number => Math.floor(end * next());
  return {
    first: lengths.map((length) => below(length + 4)),
    counts: lengths.map(() => (!ragged || next() < 0.7 ? tokens : below(tokens + 1))),
    tokens,
  };
}

/** A bound on errors that grows with the largest `|logit|` that any query could meet. */
export function toleranceFor(
  { headDim, softcap = Infinity }: Context,
  { query, keyRows }: Material,
  tolerance: number,
): number {
  const [, heads, tokens, width] = query.shape;
  const [, kvHeads, entries] = keyRows.shape;
  let largest = 0;
  for (let i = 0; i * width < query.data.length; i++) {
    const kvHead = Math.floor(Math.floor(i / tokens) / (heads / kvHeads));
    for (let n = 0; n < entries; n++) {
      const at = (kvHead * entries + n) * width;
      let logit = 0;
      for (let d = 0; d < width; d++) logit += query.data[i * width + d] * keyRows.data[at + d];
      if (Math.abs(logit) > largest) largest = Math.abs(logit); // Not NaN, in padding.
    }
  }
  return scaleByLogits(tolerance, Math.min(softcap, largest * headDim ** -0.5));
}
