import { testSelection } from '@jit-attention/testkit/exams/selection';
import { tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { cpu } from '../src/index.js';
import { CONFIGURATIONS, named } from './support/backends.js';

for (const options of CONFIGURATIONS) {
  const suite = { name: named(options), factory: () => cpu(options), tolerance: tolerances.cpu };
  testSelection({ describe, it }, suite);
}
