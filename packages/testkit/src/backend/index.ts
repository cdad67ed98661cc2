import type { Runner } from '../runner.js';
import { testArrange } from './arrange.js';
import { testAttend } from './attend.js';
import { testEquivalences } from './equivalences.js';
import { testExtremes } from './extremes.js';
import { testTensors } from './tensors.js';
import { testMerge } from './merge.js';
import { testPool } from './pool.js';
import { testRows } from './rows.js';
import { testSelect } from './select.js';
import { testStorage } from './storage.js';
import type { BackendSuite } from './suite.js';

/**
 * Everything that a backend owes, as tests of the given runner: each primitive is held to core's f64 reference (and
 * `select` to the scores themselves) on random cases. Each aspect is exported by itself as well.
 *
 *     testBackend({ describe, it }, { name: 'cpu', factory: () => cpu(), tolerance: tolerances.cpu });
 *
 * Random cases, always the same ones: 50 for each property, or as many as the environment's
 * `JIT_ATTENTION_CASES` says. What nobody may read (padding, slots without an entry) is NaN.
 */
export function testBackend(runner: Runner, suite: BackendSuite): void {
  for (const test of ASPECTS) test(runner, suite);
}

const ASPECTS: readonly ((runner: Runner, suite: BackendSuite) => void)[] = [
  testStorage,
  testArrange,
  testRows,
  testPool,
  testMerge,
  testAttend,
  testEquivalences,
  testExtremes,
  testSelect,
  testTensors,
];

export {
  testArrange,
  testAttend,
  testEquivalences,
  testExtremes,
  testMerge,
  testPool,
  testRows,
  testSelect,
  testStorage,
  testTensors,
};
export type { BackendSuite } from './suite.js';
