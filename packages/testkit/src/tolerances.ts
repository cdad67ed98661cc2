/** Largest relative Frobenius error, by how keys and values are stored. */
export interface Tolerance {
  /** Arithmetic alone: both sides read the same stored numbers. */
  readonly f32: number;
  /** Rounding to storage included: the other side reads the numbers as they were given. */
  readonly f16: number;
  readonly i8: number;
}

/**
 * The table of the project. Errors are `‖actual - expected‖ / ‖expected‖` against the f64 reference with the same
 * plan on both sides; selections are compared on their own, by the gap between scores.
 *
 * | backend | f32 | why |
 * |---|---|---|
 * | `reference` | 1e-6 | f64 throughout; only reading back rounds to f32, by at most 6e-8 |
 * | `cpu` | 1e-5 | f32 sums of a few hundred products, unit 6e-8, in eight or so partial sums |
 * | `webgpu` | 1e-4 | the same, with `exp` and division that may be off by several units |
 *
 * Storage, on all: f16 has 11 significant bits (an error of up to 4.9e-4 of each number); i8 has steps of 1/127 of a
 * row's largest number (an error of 0.29 steps, the root of the mean square). Keys and values both carry it. These are
 * tried on outputs of normal numbers in rows of up to 128, a few thousand at a time.
 */
export const tolerances: Readonly<Record<'reference' | 'cpu' | 'webgpu', Tolerance>> = {
  reference: { f32: 1e-6, f16: 2e-3, i8: 1e-2 },
  cpu: { f32: 1e-5, f16: 2e-3, i8: 1e-2 },
  webgpu: { f32: 1e-4, f16: 2e-3, i8: 1e-2 },
};

/**
 * An error of one unit in a logit is an error of `|logit|` units in its weight: past 32 the bound grows with the
 * largest logit.
 */
export function scaleByLogits(tolerance: number, largestLogit: number): number {
  return tolerance * Math.max(1, largestLogit / 32);
}
