/**
 * What the suites need of a test runner: vitest's, node:test's, mocha's and jest's `describe` and `it` will do.
 *
 *     import { describe, it } from 'vitest';
 *     testStrategy({ describe, it }, { ... });
 */
export interface Runner {
  describe(name: string, body: () => void): unknown;
  it: {
    (name: string, body: () => Promise<void>): unknown;
    /** Shows what was left out; without it a test that does not apply is not shown. */
    skip?: (name: string, body: () => Promise<void>) => unknown;
  };
}

/** A test that applies unless there is a reason against it, which is then shown. */
export function itUnless(
  { it }: Runner,
  reason: string | undefined,
  name: string,
  body: () => Promise<void>,
): void {
  if (reason === undefined) it(name, body);
  else it.skip?.(`${name} (${reason})`, body);
}
