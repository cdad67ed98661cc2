import type { Metrics, ResultRow } from '../output/results.js';
import type { Quality } from './quality.js';
import type { Sizes } from './subject.js';
import { candidateOf, variantWords } from './variants.js';

export const NOT_MEASURED: Metrics = {
  ...{ ms: null, gflops: null, density: null, recallMean: null },
  ...{ recallP5: null, outputError: null, bytesRead: null },
};

/** The result rows of one variant at one context: perplexity, and needles by depth. */
export function qualityRows(quality: Quality, facts: Sizes & { threads: number }): ResultRow[] {
  const { variant, tokens, density = null, perplexity, needles = [], error } = quality;
  const { strategy, budget } = candidateOf(variant, tokens);
  const row = (name: string, queries: number, metrics: Partial<Metrics>): ResultRow => ({
    suite: 'model',
    case: [name, ...variantWords(variant)].join(' '),
    ...{ implementation: 'jit-attention', strategy, backend: 'cpu', tokens, queries },
    ...facts,
    budget: budget ?? null,
    metrics: { ...NOT_MEASURED, density, ...metrics },
    ...(error !== undefined && { error }),
  });
  if (error !== undefined) return [row('quality', tokens, {})];
  const read = perplexity && row('perplexity', tokens, perplexityMetrics(perplexity));
  const found = needles.map(({ depth, found, cases }) =>
    row(`needle at ${depth}`, 1, { found, cases }),
  );
  return [...(read ? [read] : []), ...found];
}

function perplexityMetrics({
  perplexity,
  cases,
  change,
  divergence,
}: NonNullable<Quality['perplexity']>): Partial<Metrics> {
  return {
    cases,
    perplexity: perplexity.value,
    perplexityChange: change.value,
    perplexityChangeError: (change.high - change.low) / 2,
    divergence: divergence.value,
  };
}
