/** The largest absolute difference of two arrays of the same length, NaN if either holds one. */
export function maxDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) {
    throw new Error(`lengths differ: ${actual.length} and ${expected.length}`);
  }
  return actual.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i])), 0);
}
