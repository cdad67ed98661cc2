import { testOperations, testRefusals } from '@jit-attention/testkit/exams/operations';
import { cases, tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { hasAdapter, NO_ADAPTER, onOneDevice } from './support/backends.js';

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  // The published suite takes all cases; these are larger.
  const some = Math.ceil(cases() / 4);
  const suite = { name: 'webgpu', factory: onOneDevice, tolerance: tolerances.webgpu, cases: some };
  testOperations({ describe, it }, suite);
  testRefusals({ describe, it }, suite);
});
