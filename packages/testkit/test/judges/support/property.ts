import fc from 'fast-check';

/**
 * Holds for `JIT_ATTENTION_CASES` (default 50) random cases, always the same ones; a failure prints the smallest
 * case found.
 */
export async function holds<T extends [unknown, ...unknown[]]>(
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  check: (...values: T) => Promise<void>,
): Promise<void> {
  const numRuns = Number(process.env.JIT_ATTENTION_CASES ?? 50);
  const property = fc.asyncProperty<T>(...arbitraries, check);
  await fc.assert(property, { seed: 20260, numRuns });
}
