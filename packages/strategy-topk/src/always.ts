import { type Bound, fromQuery, type Interval } from '@jit-attention/core';

/** What is read whatever it scores: the first entries and, around each query, the most recent. */
export function always(
  { sinks, recent }: { sinks: number; recent: number },
  visible: Bound | undefined,
): Interval[] {
  if (recent === 0) return [[0, sinks]];
  const end = visible === undefined ? recent : 1;
  return [
    [0, sinks],
    [fromQuery(1 - recent), fromQuery(end)],
  ];
}
