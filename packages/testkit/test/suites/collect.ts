import type { Runner } from '../../src/index.js';

/** Runs the tests that `register` registers, and gives the names of those that fail. */
export async function failuresOf(register: (runner: Runner) => void): Promise<string[]> {
  const failed: string[] = [];
  for (const [name, body] of collected(register)) {
    try {
      await body();
    } catch {
      failed.push(name);
    }
  }
  return failed;
}

/** A runner that only takes down what it is given. */
export function collected(register: (runner: Runner) => void): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  register({
    describe: (_, body) => body(),
    it: (name: string, body: () => Promise<void>) => tests.set(name, body),
  });
  return tests;
}
