import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { ARRANGE } from './arrange.js';
import { CONVERT } from './convert.js';
import { MERGE } from './merge.js';
import { POOL } from './pool.js';
import { testRefusals } from './refusals.js';
import { ROWS } from './rows.js';

/**
 * The operations beside attention and selection, whatever the storage and at sizes that are more than a task or a
 * workgroup: what the published suite leaves out for the sake of its length. Not published; our backends run it.
 */
export function testOperations(runner: Runner, suite: BackendSuite): void {
  const operations = { CONVERT, ARRANGE, MERGE, POOL, ROWS };
  for (const [heading, tests] of Object.entries(operations)) {
    runner.describe(`${suite.name}: ${heading.toLowerCase()}`, () => {
      for (const test of tests) test(runner, suite);
    });
  }
  testRefusals(runner, suite);
}
