import { testAttend, testEquivalences, testExtremes, tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { webgpu } from '../src/index.js';
import { hasAdapter, NO_ADAPTER } from './support/backends.js';

const found = await hasAdapter();
const suite = { name: 'webgpu', factory: () => webgpu(), tolerance: tolerances.webgpu };

describe.skipIf(!found)(found ? 'on an adapter' : NO_ADAPTER, () => {
  for (const test of [testAttend, testEquivalences, testExtremes]) test({ describe, it }, suite);
});
