import { testSelection } from '@jit-attention/testkit/exams/selection';
import { cases, tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { hasAdapter, NO_ADAPTER, onOneDevice } from './support/backends.js';

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  const suite = {
    name: 'webgpu',
    factory: onOneDevice,
    tolerance: tolerances.webgpu,
    // A software adapter compiles a kernel for every other way to ask, for a tenth of a second and more.
    cases: Math.min(25, cases()),
  };
  testSelection({ describe, it }, suite, { leavesOut: true });
});
