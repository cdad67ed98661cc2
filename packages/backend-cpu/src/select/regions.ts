import { type SelectRequest, widthOf } from '@jit-attention/core';
import { scoredEntries } from '@jit-attention/core';

import type { Lists } from './lists.js';
import { type Sizes, wholeVectors } from './sizes.js';

/** A thread's scratch while it scores: the bytes of all of it, and where its regions begin. */
export interface Regions {
  readonly bytes: number;
  readonly offsets: readonly number[];
}

/** Words at the beginning, and of the record of a row. */
const HEADER = 16;
const RECORD = 8;
/** Lists of addresses are filled up to a multiple of 8. */
const FILLING = 8;
/** Keys that rows side by side are multiplied with at a time. */
const TILE = 64;

/** The regions in the order of assembly/select/work.ts. */
export function regionsOf(request: SelectRequest, lists: Lists, sizes: Sizes): Regions {
  const { within, score } = request;
  const { rows, inner, depth, strip, chunk, coded } = sizes;
  const candidates = within ? within.ids.shape[3] : 0;
  const listed = strip + FILLING;
  const width = wholeVectors(widthOf(scoredEntries(score)));
  const bounds = score.kind === 'bounds';
  const laidOut = sizes.kind === 'splitBounds' || sizes.kind === 'antidiagonal';
  return layOut([
    rows * RECORD,
    (rows * inner + 7) * depth,
    score.kind === 'reluWeighted' ? rows * inner : 0,
    coded ? (rows * inner * depth) / 2 : 0,
    coded ? rows * inner : 0,
    within ? lists.units : 0,
    // Spans take two words each, and as much room again (see `spanBytes`).
    within ? 4 * (candidates + 1) : 0,
    listed,
    listed,
    listed,
    listed,
    listed * width,
    bounds ? listed * width : 0,
    laidOut ? listed * depth : 0,
    wholeEights(chunk * inner) * strip,
    strip,
    strip,
    Math.ceil(rows / chunk) * wholeEights(chunk * inner) * depth,
    8 * TILE,
  ]);
}

function wholeEights(rows: number): number {
  return 8 * Math.ceil(rows / 8);
}

function layOut(words: readonly number[]): Regions {
  let next = 4 * HEADER;
  const offsets = words.map((count) => {
    const offset = next;
    next += 16 * Math.ceil(count / 4);
    return offset;
  });
  return { bytes: next, offsets };
}
