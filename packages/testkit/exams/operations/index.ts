import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { ARRANGE } from './arrange.js';
import { CONVERT } from './convert.js';
import { MERGE } from './merge.js';
import { POOL } from './pool.js';
import { ROWS } from './rows.js';
import type { Operation } from './support.js';

export { testRefusals } from './refusals.js';

type Name = 'convert' | 'arrange' | 'merge' | 'pool' | 'rows';

const OPERATIONS: Readonly<Record<Name, readonly Operation[]>> = {
  convert: CONVERT,
  arrange: ARRANGE,
  merge: MERGE,
  pool: POOL,
  rows: ROWS,
};

/**
 * The operations beside attention and selection, whatever the storage and at sizes that are more than a task or a
 * workgroup: what the published suite leaves out for the sake of its length. Not published; our backends run it.
 *
 * @param names which of them; all by default
 */
export function testOperations(
  runner: Runner,
  suite: BackendSuite,
  names: readonly Name[] = ['convert', 'arrange', 'merge', 'pool', 'rows'],
): void {
  for (const name of names) {
    runner.describe(`${suite.name}: ${name}`, () => {
      for (const test of OPERATIONS[name]) test(runner, suite);
    });
  }
}
