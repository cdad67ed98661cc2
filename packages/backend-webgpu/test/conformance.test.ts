import { testBackend, tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { hasAdapter, NO_ADAPTER, onOneDevice } from './support/backends.js';

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  testBackend(
    { describe, it },
    { name: 'webgpu', factory: onOneDevice, tolerance: tolerances.webgpu },
  );
});
