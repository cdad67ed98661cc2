import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { testAdaptive } from './adaptive.js';
import { testAudit } from './audit.js';
import { testCsa } from './csa.js';
import { testCsa2 } from './csa2.js';
import { testHca } from './hca.js';
import { testLightning } from './lightning.js';
import { testNsa } from './nsa.js';
import { testPageTopk } from './page-topk.js';
import { testReuse } from './reuse.js';
import { testRollback } from './rollback.js';
import { testTopP } from './top-p.js';
import { testUnion } from './union.js';
import { testWindowed } from './windowed.js';

/**
 * Every judge on a backend, held to straight formulas in plain loops that share no code with core. Not published,
 * as the judges are not: the workspace runs them on each of its backends.
 */
export function testJudges(runner: Runner, suite: BackendSuite): void {
  for (const test of JUDGES) test(runner, suite);
}

const JUDGES: readonly ((runner: Runner, suite: BackendSuite) => void)[] = [
  testWindowed,
  testPageTopk,
  testLightning,
  testNsa,
  testHca,
  testCsa,
  testCsa2,
  testTopP,
  testAdaptive,
  testUnion,
  testAudit,
  testReuse,
  testRollback,
];
