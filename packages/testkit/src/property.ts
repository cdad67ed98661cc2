import fc from 'fast-check';

/** Every run tries the same cases. */
const SEED = 20_260_901;

/** Random cases a property is tried on: the environment's `JIT_ATTENTION_CASES`, or 50. */
export function cases(): number {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const wanted = Number(process?.env?.JIT_ATTENTION_CASES ?? 50);
  if (Number.isInteger(wanted) && wanted >= 1) return wanted;
  throw new Error(`JIT_ATTENTION_CASES: expected a whole number from 1, got ${wanted}`);
}

/** Tries a property on random cases ({@link cases} unless told); a failure prints the smallest case that fails. */
export async function holds<T extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  predicate: (...values: T) => Promise<void>,
  numRuns: number = cases(),
): Promise<void> {
  await fc.assert(fc.asyncProperty(...arbitraries, predicate), { seed: SEED, numRuns });
}
