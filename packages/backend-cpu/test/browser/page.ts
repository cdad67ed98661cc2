/** What runs in the browser: testkit's suite. */
import { testBackend, tolerances } from '@jit-attention/testkit';
import { offer } from '@jit-attention/testkit/exams/page';

import { cpu, type CpuOptions } from '../../src/index.js';

offer<CpuOptions>((runner, options) =>
  testBackend(runner, { name: '', factory: () => cpu(options), tolerance: tolerances.cpu }),
);
