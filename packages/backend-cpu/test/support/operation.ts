import { holds } from '@jit-attention/testkit';
import type fc from 'fast-check';
import { describe, it } from 'vitest';

import { agree, type Results, type Table } from './agree.js';
import { CONFIGURATIONS, named, onCpu } from './backends.js';

/** Holds an operation to the reference on random cases, with every build and number of threads. */
export function operation<T>(
  name: string,
  cases: fc.Arbitrary<T>,
  compute: (table: Table, one: T) => Results,
  tolerance?: number,
): void {
  describe(name, () => {
    it.each(CONFIGURATIONS.map((options) => [named(options), options] as const))(
      '%s',
      (_, options) =>
        onCpu(options, (backend) =>
          holds([cases], (one) => agree(backend, (table) => compute(table, one), tolerance)),
        ),
    );
  });
}
