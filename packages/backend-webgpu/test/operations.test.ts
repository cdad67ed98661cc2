import { testOperations, testRefusals } from '@jit-attention/testkit/exams/operations';
import { tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { webgpu } from '../src/index.js';
import { hasAdapter, NO_ADAPTER } from './support/backends.js';

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  const suite = { name: 'webgpu', factory: () => webgpu(), tolerance: tolerances.webgpu };
  testOperations({ describe, it }, suite);
  testRefusals({ describe, it }, suite);
});
