export interface Comparison {
  /** Where the difference is largest, with both values there. */
  readonly worst: number;
  readonly actual: number;
  readonly expected: number;
  /** Largest and mean absolute difference. */
  readonly max: number;
  readonly mean: number;
  /** `‖actual - expected‖ / ‖expected‖`; the absolute norm where all that is expected is zero. */
  readonly relative: number;
  /** Root of the mean squared difference. */
  readonly absolute: number;
}

/** Infinities and NaN agree with themselves and differ infinitely from everything else. */
export function compare(actual: ArrayLike<number>, expected: ArrayLike<number>): Comparison {
  let [worst, max, sum, squares, norm] = [0, 0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const difference = distance(actual[i], expected[i]);
    if (difference > max) [worst, max] = [i, difference];
    sum += difference;
    squares += difference ** 2;
    if (Number.isFinite(expected[i])) norm += expected[i] ** 2;
  }
  const count = Math.max(1, expected.length);
  return {
    worst,
    actual: actual[worst],
    expected: expected[worst],
    max,
    mean: sum / count,
    absolute: Math.sqrt(squares / count),
    relative: squares === 0 ? 0 : Math.sqrt(norm === 0 ? squares : squares / norm),
  };
}

export interface CloseOptions {
  /** Largest relative error; of logarithms, whose differences are relative already, the largest absolute one. */
  readonly tolerance: number;
  readonly logarithms?: boolean | undefined;
  /** Of both arrays, to name the worst place by its indices. */
  readonly shape?: readonly number[] | undefined;
}

/**
 * The one comparison of the project.
 * @throws {Error} with the worst index, both values, largest, mean and whole error
 */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { tolerance, logarithms = false, shape }: CloseOptions,
): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: expected ${expected.length} numbers, got ${actual.length}`);
  const found = compare(actual, expected);
  const kind = logarithms ? 'absolute' : 'relative';
  if (found[kind] <= tolerance) return;
  const place = shape ? `[${indicesOf(found.worst, shape).join(', ')}]` : `${found.worst}`;
  throw new Error(
    [
      `${what}: expected ${kind} error of at most ${tolerance}, got ${found[kind].toExponential(2)}`,
      `  worst at ${place}: expected ${found.expected}, got ${found.actual}`,
      `  largest error ${found.max.toExponential(2)}, mean ${found.mean.toExponential(2)}`,
    ].join('\n'),
  );
}

/** The same bits; NaN is NaN. @throws {Error} */
export function assertSame(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: expected ${expected.length} numbers, got ${actual.length}`);
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i] + 0, expected[i] + 0)) continue;
    throw new Error(`${what}: at ${i} expected ${expected[i]}, got ${actual[i]}`);
  }
}

function distance(actual: number, expected: number): number {
  if (Object.is(actual, expected)) return 0;
  const difference = Math.abs(actual - expected);
  return Number.isNaN(difference) ? Infinity : difference;
}

function indicesOf(flat: number, shape: readonly number[]): number[] {
  const indices: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    indices.unshift(flat % shape[axis]);
    flat = Math.floor(flat / shape[axis]);
  }
  return indices;
}
