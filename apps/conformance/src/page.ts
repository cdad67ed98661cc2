/** What runs in the browser: the suites of a strategy package. */
import type { CpuOptions } from '@jit-attention/backend-cpu';
import { offer } from '@jit-attention/testkit/exams/page';

import { configuration } from './configurations.js';
import { testStrategies } from './strategies.js';

export interface Asked {
  readonly package: string;
  readonly options: CpuOptions;
  readonly cases: number;
}

offer<Asked>((runner, { package: folder, options, cases }) =>
  testStrategies(runner, [folder], configuration(options, cases)),
);
