/** What runs in the browser: the suites of all strategy packages, on a device that compiles each kernel once. */
import { offer } from '@jit-attention/testkit/exams/page';

import { configuration, type Made } from './configurations.js';
import { STRATEGIES, testStrategies } from './strategies.js';

export interface Asked {
  readonly made: Made;
  readonly cases: number;
}

offer<Asked>((runner, { made, cases }) =>
  testStrategies(runner, Object.keys(STRATEGIES), configuration(made, cases)),
);
