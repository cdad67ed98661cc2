import { testAttend, testEquivalences, testExtremes, tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { hasAdapter, NO_ADAPTER, onOneDevice } from './support/backends.js';

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  const suite = { name: 'webgpu', factory: onOneDevice, tolerance: tolerances.webgpu };
  for (const test of [testAttend, testEquivalences, testExtremes]) test({ describe, it }, suite);
});
