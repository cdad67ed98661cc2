import type { Backend } from '@jit-attention/core';
import type fc from 'fast-check';

import { onBackend, withoutLeaks } from '../../../src/backends.js';
import { type BackendSuite, property } from '../../../src/backend/suite.js';
import type { Runner } from '../../../src/runner.js';

/** What a judge is examined on, for one test. */
export interface Ground {
  readonly backend: Backend;
  /** Largest relative error of an output, before {@link scaleByLogits}. */
  readonly tolerance: number;
}

const groundOf = (backend: Backend, { tolerance }: BackendSuite): Ground => ({
  backend,
  tolerance: tolerance.f32,
});

/** A property of a judge on random cases; each must free all that it makes. */
export function exam<T extends [unknown, ...unknown[]]>(
  runner: Runner,
  suite: BackendSuite,
  name: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  body: (ground: Ground, ...values: T) => Promise<void>,
): void {
  property<T>(runner, suite, name, arbitraries, (backend, ...values) =>
    body(groundOf(backend, suite), ...values),
  );
}

/** One case that is worth a test of its own. */
export function example(
  { it }: Runner,
  suite: BackendSuite,
  name: string,
  body: (ground: Ground) => Promise<void>,
): void {
  it(name, () =>
    onBackend(suite.factory, (backend) =>
      withoutLeaks(backend, () => body(groundOf(backend, suite))),
    ),
  );
}
