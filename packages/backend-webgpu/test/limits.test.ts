import { testOperations } from '@jit-attention/testkit/exams/operations';
import { assertClose, cases, testSelect, tolerances } from '@jit-attention/testkit';
import { type Backend, type PoolRequest, reference } from '@jit-attention/core';
import { afterAll, beforeAll, describe, it } from 'vitest';

import { webgpu, type WebGpuBackend } from '../src/index.js';
import { hasAdapter, type Limits, limitedTo, NO_ADAPTER } from './support/backends.js';

/** Far less than any device has, so that small buffers are large. */
const FEW = { maxStorageBufferBindingSize: 24 << 10, maxComputeWorkgroupsPerDimension: 60 };
/** Room for a query of all batch rows and heads, which is the least that is taken at a time. */
const SOME = { ...FEW, maxStorageBufferBindingSize: 96 << 10 };

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  let owner: WebGpuBackend;
  beforeAll(async () => void (owner = await webgpu()));
  afterAll(async () => owner.dispose());

  const suiteOf = (limits: Limits) => ({
    name: `with ${JSON.stringify(limits)}`,
    factory: () => limitedTo(limits, owner.device),
    tolerance: tolerances.webgpu,
    cases: Math.min(50, cases()),
  });
  // Its kernels for a part of the keys are others, and many: attend.test.ts has the cases of `attend`.
  testSelect({ describe, it }, { ...suiteOf(SOME), cases: Math.min(10, cases()) });
  testOperations({ describe, it }, suiteOf(FEW), ['arrange', 'merge', 'rows']);
  // A group, however wide, is taken as a whole, and always has fit.
  testOperations({ describe, it }, suiteOf({ maxStorageBuffersPerShaderStage: 3 }), ['pool']);

  it('pools groups of a cache that is larger than what can be bound', async () => {
    const backend = limitedTo(FEW, owner.device);
    const request = (on: Backend): PoolRequest => {
      const data = Float32Array.from({ length: 60 * 2 * 8 * 20 }, (_, i) => Math.sin(i * i));
      const storage = on.tensor(data, { shape: [60, 2, 8, 20] });
      const tables = [range(0, 40).reverse(), range(40, 60)];
      const values = { storage, pageSize: 8, tables, lengths: [315, 157] };
      const parts = [{ values, start: -2, length: 5, channels: [4, 16] as const }];
      return { kind: 'mean', parts, stride: 3, first: [0, 1], count: 104 };
    };
    const [found, right] = [backend, reference()].map((on) => on.pool(request(on)));
    const { shape } = right;
    assertClose('pool', await found.data(), await right.data(), { tolerance: 1e-6, shape });
    await backend.dispose();
  });
});

const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);
