import { type Score, scoredEntries, type SelectRequest, widthOf } from '@jit-attention/core';

import type { Lists } from './lists.js';

/** Rows that share bounds from which on a matrix product pays for laying the bounds out anew. */
const SPLIT_ROWS = 8;
/** Entries that are scored at a time; of wide ones fewer, so that their keys stay in the second-level cache. */
const STRIP = 256;
const STRIP_BYTES = 256 * 1024;
/** Rows of the matrix product at a time: their scores of a strip stay in the first-level cache. */
const CHUNK = 32;

/** How the rows that meet the same keys are scored; see assembly/select/spec.ts. */
export interface Sizes {
  readonly kind: SelectRequest['score']['kind'] | 'splitBounds';
  /** Channels of a row of the matrix product. */
  readonly depth: number;
  /** Rows of the matrix product that make one row. */
  readonly inner: number;
  readonly strip: number;
  readonly chunk: number;
  /** Rows at hand at most. */
  readonly rows: number;
  /** Whether keys are codes that can be multiplied as such. */
  readonly coded: boolean;
}

/** @param tileLists lists that are scored together */
export function sizesOf({ score, pool }: SelectRequest, lists: Lists, tileLists: number): Sizes {
  const rows = (lists.rows / lists.group) * lists.headRun * tileLists;
  const kind = score.kind === 'bounds' && rows >= SPLIT_ROWS ? 'splitBounds' : score.kind;
  const width = wholeVectors(widthOf(scoredEntries(score)));
  const depth = width * (kind === 'splitBounds' ? 2 : lists.cell);
  const inner = score.kind === 'reluWeighted' ? score.query.shape[1] : 1;
  const fitting = Math.max(8, Math.min(STRIP, Math.floor(STRIP_BYTES / (4 * depth))));
  const pooled =
    typeof pool?.weights === 'object' ? pool.weights.length : (pool?.length ?? pool?.stride ?? 1);
  return {
    kind,
    depth,
    inner,
    strip: wholeVectors(Math.max(fitting, pooled)),
    chunk: Math.max(1, Math.floor(CHUNK / inner)),
    rows,
    coded: isCoded(score),
  };
}

/** Codes of keys, eight at a time. */
function isCoded(score: Score): boolean {
  if (score.kind === 'bounds' || score.kind === 'antidiagonal') return false;
  return score.keys.storage.dtype === 'i8' && widthOf(score.keys) % 8 === 0;
}

/** Elements rounded up to vectors of four. */
export function wholeVectors(elements: number): number {
  return Math.ceil(elements / 4) * 4;
}
