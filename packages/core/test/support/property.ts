import fc from 'fast-check';

/** Every run tries the same cases. */
const SEED = 20_261_007;

/** Random cases a property is tried on. */
const CASES = Number(process.env.JIT_ATTENTION_CASES ?? 50);

/** Tries a property on random cases; a failure prints the smallest case found that fails. */
export async function holds<T>(
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => void | Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(arbitrary, async (value) => check(value));
  await fc.assert(property, { seed: SEED, numRuns: CASES });
}

export const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

/** A choice that is equally likely for each of the values. */
export const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
