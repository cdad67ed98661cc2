/**
 * Arithmetic on positions, as data: every device can evaluate it for any query, so "the last 1,024 entries" or
 * "entry i of every fourth token" needs no tensor and no callback.
 */

/** `floor((p + offset) / stride)` for the query at absolute position `p`; a plain number is itself. */
export type Bound = number | { readonly offset: number; readonly stride: number };

/** Half-open: `[start, end)`. */
export type Interval = readonly [start: Bound, end: Bound];

/** `floor((p + offset) / stride)`, with the query's own position `p`. */
export function fromQuery(offset = 0, stride = 1): Bound {
  return { offset, stride };
}

export function evaluate(bound: Bound, position: number): number {
  return typeof bound === 'number' ? bound : Math.floor((position + bound.offset) / bound.stride);
}

/** Entries `[start, end)`. */
export type Span = [start: number, end: number];

/** The intervals of one query, clipped to `[0, visible)`, in order, overlaps and neighbours merged. */
export function intervalsAt(
  intervals: readonly Interval[],
  position: number,
  visible: number,
): Span[] {
  const clipped = intervals
    .map(([start, end]): Span => [
      Math.max(0, evaluate(start, position)),
      Math.min(visible, evaluate(end, position)),
    ])
    .filter(([start, end]) => start < end);
  return mergeSpans(clipped);
}

/** Ascending, overlaps and neighbours merged. Sorts `spans` in place. */
export function mergeSpans(spans: Span[]): Span[] {
  spans.sort((a, b) => a[0] - b[0]);
  const merged: Span[] = [];
  for (const [start, end] of spans) {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/** What of `[start, end)` lies in none of the spans, which are ascending and apart. */
export function gapsIn(spans: readonly Span[], [start, end]: Span): Span[] {
  const gaps: Span[] = [];
  let from = start;
  for (const [first, last] of spans) {
    if (Math.min(first, end) > from) gaps.push([from, Math.min(first, end)]);
    from = Math.max(from, last);
  }
  if (from < end) gaps.push([from, end]);
  return gaps;
}
