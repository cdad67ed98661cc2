/** The reference keeps f64 throughout; only `data()` rounds to f32, by at most half a unit (6e-8). */
export const TOLERANCE = 1e-7;

/** Below this gap of scores, the rounding of f64 sums may decide who is selected. */
export const GAP = 1e-9;

/** `‖actual - expected‖ / ‖expected‖`; the absolute norm where nothing is expected. */
export function relativeFrobenius(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let total = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    total += expected[i] ** 2;
  }
  return Math.sqrt(total === 0 ? difference : difference / total);
}

/** Throws, with the worst place, unless the relative Frobenius error is within {@link TOLERANCE}. */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: expected ${expected.length} numbers, got ${actual.length}`);
  const error = relativeFrobenius(actual, expected);
  if (error <= TOLERANCE) return;
  const worst = worstIndex(actual, expected);
  throw new Error(
    `${what}: relative Frobenius error ${error.toExponential(2)} (at most ${TOLERANCE}); ` +
      `worst at ${worst}: expected ${expected[worst]}, got ${actual[worst]}`,
  );
}

function worstIndex(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const differences = Array.from(expected, (value, i) => Math.abs(actual[i] - value));
  const firstNaN = differences.findIndex(Number.isNaN);
  return firstNaN >= 0 ? firstNaN : differences.indexOf(Math.max(...differences));
}
