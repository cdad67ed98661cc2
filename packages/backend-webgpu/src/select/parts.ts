import { type Entries, type Score, scoredEntries } from '@jit-attention/core';

import { haveSamePages } from '../attend/windows.js';
import type { Gpu } from '../gpu.js';
import { commonRuns, rowsIn, type Run, runsOf } from '../ops/row-runs.js';
import type { Fields } from './spec.js';

/** What of the scored entries is bound at a time, nearly always all: of bounds, minima and maxima. */
export type Part = readonly [keys: Run] | readonly [minima: Run, maxima: Run];

export function scoredParts(gpu: Gpu, score: Score): Part[] {
  const runs = ({ storage }: Entries): Run[] => runsOf(gpu, rowsIn(gpu, storage));
  if (score.kind !== 'bounds') return runs(scoredEntries(score)).map((run) => [run]);
  const { min, max } = score;
  if (haveSamePages(min, max)) {
    const rows = [min, max].map(({ storage }) => rowsIn(gpu, storage));
    return commonRuns(gpu, ...rows).map(([minima, maxima]) => [minima, maxima]);
  }
  return runs(min).flatMap((minima) => runs(max).map((maxima): Part => [minima, maxima]));
}

/** What the kernels are told of a part. */
export function partFields([keys, maxima = keys]: Part, isFirst: boolean): Fields {
  return {
    ...{ KEYS_FIRST: keys.first, KEYS_END: keys.first + keys.rows, KEYS_SKIP: keys.skip },
    ...{ MAXIMA_FIRST: maxima.first, MAXIMA_END: maxima.first + maxima.rows },
    ...{ MAXIMA_SKIP: maxima.skip, BEGINS: isFirst ? 1 : 0 },
  };
}
