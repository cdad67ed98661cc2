/** Mean, 5th percentile and minimum of a sample. */
export interface Summary {
  mean: number;
  p5: number;
  min: number;
}

/** NaN throughout for an empty sample. */
export function summarise(sample: readonly number[]): Summary {
  const sorted = [...sample].sort((a, b) => a - b);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { mean, p5: quantile(sorted, 0.05), min: sorted[0] ?? NaN };
}

/** Linear interpolation between the two nearest ranks of an ascending sample. */
export function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return NaN;
  const rank = q * (sorted.length - 1);
  const below = sorted[Math.floor(rank)];
  const above = sorted[Math.ceil(rank)];
  return below + (above - below) * (rank - Math.floor(rank));
}
