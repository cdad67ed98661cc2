/** What runs in the browser: the suites of a strategy package. */
import { offer } from '@jit-attention/testkit/exams/page';

import { configuration, type Made } from './configurations.js';
import { testStrategies } from './strategies.js';

export interface Asked {
  readonly package: string;
  readonly made: Made;
  readonly cases: number;
}

offer<Asked>((runner, { package: folder, made, cases }) =>
  testStrategies(runner, [folder], configuration(made, cases)),
);
