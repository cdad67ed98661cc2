import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { testGroupedQuery } from './grouped-query.js';
import { testMasked } from './masked.js';

/** An outside opinion on a backend: ONNX Runtime's attention operators on the same numbers, to 1e-4. Not published. */
export function testOnnxRuntime(runner: Runner, suite: BackendSuite): void {
  testMasked(runner, suite);
  testGroupedQuery(runner, suite);
}
