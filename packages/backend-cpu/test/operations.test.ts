import { testOperations, testRefusals } from '@jit-attention/testkit/exams/operations';
import { tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { cpu } from '../src/index.js';
import { CONFIGURATIONS, named } from './support/backends.js';

for (const options of CONFIGURATIONS) {
  const factory = () => cpu(options);
  const suite = { name: named(options), factory, tolerance: tolerances.cpu };
  testOperations({ describe, it }, suite);
  testRefusals({ describe, it }, suite);
}
