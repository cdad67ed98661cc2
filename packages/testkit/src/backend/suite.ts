import type { Backend } from '@jit-attention/core';
import type fc from 'fast-check';

import { onBackend, withoutLeaks } from '../backends.js';
import { holds } from '../property.js';
import type { Runner } from '../runner.js';
import type { Tolerance } from '../tolerances.js';

/** What is tested, and how. */
export interface BackendSuite {
  /** Heads the output. */
  readonly name: string;
  /** A fresh, isolated instance; each test has its own. */
  readonly factory: () => Backend | Promise<Backend>;
  /** The backend's row of `tolerances`. */
  readonly tolerance: Tolerance;
  /** Random cases of each property. Default: the environment's `JIT_ATTENTION_CASES`, or 50. */
  readonly cases?: number | undefined;
}

/** A property of a backend on random cases; each must free all that it makes. */
export function property<T extends [unknown, ...unknown[]]>(
  { it }: Runner,
  { factory, cases }: BackendSuite,
  name: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  body: (backend: Backend, ...values: T) => Promise<void>,
): void {
  it(name, () =>
    onBackend(factory, (backend) =>
      holds(
        arbitraries,
        (...values: T) => withoutLeaks(backend, () => body(backend, ...values)),
        cases,
      ),
    ),
  );
}
