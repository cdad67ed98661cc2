import { testSelect, tolerances } from '@jit-attention/testkit';
import { afterAll, describe, it } from 'vitest';

import { webgpu } from '../src/index.js';
import { hasAdapter, NO_ADAPTER } from './support/backends.js';

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'select' : `select (${NO_ADAPTER})`, async () => {
  // One device for all: kernels are compiled once.
  const owner = found ? await webgpu() : undefined;
  afterAll(() => owner?.dispose());
  const factory = () => webgpu({ device: owner!.device });
  testSelect({ describe, it }, { name: 'webgpu', factory, tolerance: tolerances.webgpu });
});
