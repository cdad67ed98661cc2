import { testBackend, tolerances } from '@jit-attention/testkit';
import { describe, it, vi } from 'vitest';

import { hasAdapter, NO_ADAPTER, onOneDevice } from './support/backends.js';

// Without a GPU hundreds of cases take their time.
vi.setConfig({ testTimeout: 20 * 60_000 });

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  testBackend(
    { describe, it },
    { name: 'webgpu', factory: onOneDevice, tolerance: tolerances.webgpu },
  );
});
