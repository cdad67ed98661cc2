import type { Runner } from '../runner.js';
import { testBidirectional } from './bidirectional.js';
import { testCausality } from './causality.js';
import { testErrors } from './errors.js';
import { testExact } from './exact.js';
import { testHandling } from './handling.js';
import { testIndependence } from './independence.js';
import { testManifest } from './manifest.js';
import { testPlan } from './plan.js';
import { testRewind } from './rewind.js';
import { testSteps } from './steps.js';
import type { StrategySuite } from './suite.js';
import { testWrappers } from './wrappers.js';

/**
 * Everything that a strategy owes, as tests of the given runner. Each aspect is exported by itself as well.
 *
 *     testStrategy({ describe, it }, {
 *       name: 'newest',
 *       strategies: { 'the last 5': () => newest(5) },
 *       covering: (_, tokens) => newest(tokens),
 *     });
 *
 * Random cases, always the same ones: 50 for each property, or as many as the environment's
 * `JIT_ATTENTION_CASES` says. What a strategy does not support (its `supports`) is skipped, visibly.
 */
export function testStrategy(runner: Runner, suite: StrategySuite): void {
  for (const test of ASPECTS) test(runner, suite);
}

const ASPECTS: readonly ((runner: Runner, suite: StrategySuite) => void)[] = [
  testManifest,
  testPlan,
  testExact,
  testSteps,
  testRewind,
  testIndependence,
  testCausality,
  testBidirectional,
  testHandling,
  testWrappers,
  testErrors,
];

export {
  testBidirectional,
  testCausality,
  testErrors,
  testExact,
  testHandling,
  testIndependence,
  testManifest,
  testPlan,
  testRewind,
  testSteps,
  testWrappers,
};
export type { Create, StrategySuite } from './suite.js';
