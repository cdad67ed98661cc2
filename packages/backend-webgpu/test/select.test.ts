import { testSelect, tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { webgpu } from '../src/index.js';
import { hasAdapter, NO_ADAPTER } from './support/backends.js';

describe.skipIf(!(await hasAdapter()))(`select (needs an adapter; ${NO_ADAPTER})`, () => {
  testSelect({ describe, it }, { name: 'webgpu', factory: () => webgpu(), tolerance: tolerances.webgpu });
});
