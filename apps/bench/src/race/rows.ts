import type { ResultRow } from '../output/results.js';
import type { Case, Suite } from './case.js';
import type { Outcome } from './race.js';

/** What came of a contender as a row of the results. */
export function rowOf(suite: Suite['name'], { name }: Case, outcome: Outcome): ResultRow {
  const { contender, ms, counts, outputError, error, note } = outcome;
  const flops = counts?.flops ?? contender.flops;
  return {
    suite,
    case: contender.variant === undefined ? name : `${name} ${contender.variant}`,
    ...contender.facts,
    metrics: {
      ms: ms ?? null,
      gflops: ms === undefined || flops === undefined ? null : flops / ms / 1e6,
      density: counts?.density ?? null,
      recallMean: counts?.recallMean ?? null,
      recallP5: counts?.recallP5 ?? null,
      outputError: outputError ?? null,
      bytesRead: counts?.bytesRead ?? null,
      ...(counts?.peakBytes !== undefined && { peakBytes: counts.peakBytes }),
    },
    ...(error !== undefined && { error }),
    ...(note !== undefined && { note }),
  };
}
