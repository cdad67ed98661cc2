import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { operation } from '../operations/support.js';
import { requestOf, selectCases } from './exact-case.js';
import { EXTREMES } from './extremes.js';
import { testHeld } from './held.js';
import { testScale } from './scale.js';
import { TIES } from './ties.js';

const EXACT = operation('by exact scores', selectCases, (bench, one) => {
  const { ids, counts } = bench.backend.select(requestOf(bench, one));
  return { ids, counts };
});

/**
 * Selection to the last tie: every option at random by scores that are exact, equal keys, infinite and undefined
 * scores, sizes that take several goes, pages that were freed. Not published; our backends run it.
 *
 * @param options `leavesOut`: candidates on freed pages are left out, not refused
 */
export function testSelection(
  runner: Runner,
  suite: BackendSuite,
  { leavesOut = false }: { leavesOut?: boolean } = {},
): void {
  runner.describe(`${suite.name}: selection`, () => {
    for (const test of [EXACT, TIES, EXTREMES, testScale]) test(runner, suite);
    testHeld(runner, suite, leavesOut);
  });
}
