import { type Bound, evaluate } from './bound.js';

/**
 * Where the queries of a step stand. Query `t` of batch row `b` is at absolute position `first[b] + t`;
 * queries from `counts[b]` on are padding: they read nothing and give zeros.
 */
export interface Positions {
  readonly first: readonly number[];
  readonly counts: readonly number[];
  /** Queries a row, padding included. */
  readonly tokens: number;
}

/** The positions of queries `[start, end)` of a step. */
export function slicePositions(positions: Positions, start: number, end: number): Positions {
  const tokens = end - start;
  return {
    first: positions.first.map((first) => first + start),
    counts: positions.counts.map((count) => Math.min(tokens, Math.max(0, count - start))),
    tokens,
  };
}

/** How many of `length` entries a query at `position` may see. */
export function visibleAt(visible: Bound | undefined, position: number, length: number): number {
  if (visible === undefined) return length;
  return Math.max(0, Math.min(length, evaluate(visible, position)));
}

export function samePositions(a: Positions, b: Positions): boolean {
  return (
    a.tokens === b.tokens &&
    a.first.length === b.first.length &&
    a.first.every((first, row) => first === b.first[row] && a.counts[row] === b.counts[row])
  );
}
