import type { WebGpuBackend } from '../src/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasAdapter, NO_ADAPTER, onOneDevice } from './support/backends.js';

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  let backend: WebGpuBackend;
  beforeAll(async () => void (backend = await onOneDevice()));
  afterAll(() => backend.dispose());

  /** Rows of packed numbers are put together anew: halves share words, codes a scale. */
  it.each(['f16', 'i8'] as const)('copies channels into rows of %s', async (dtype) => {
    const rows = [127, 1, -2, 3, 40, -127, 5, 6, -7, 8];
    const target = backend.tensor(Float32Array.from(rows), { shape: [2, 5], dtype });
    const source = backend.tensor(Float32Array.of(9, 127, -127, 11), { shape: [2, 2], dtype });
    backend.copyInto(target, source, { axis: 1, at: 1 });
    expect([...(await target.data())]).toEqual([127, 9, 127, 3, 40, -127, -127, 11, -7, 8]);
  });

  it('gives the codes of a row another scale where that is needed', async () => {
    const target = backend.tensor(Float32Array.of(1, 2, 3), { shape: [1, 3], dtype: 'i8' });
    const source = backend.tensor(Float32Array.of(254), { shape: [1, 1], dtype: 'i8' });
    backend.copyInto(target, source, { axis: 1, at: 2 });
    const [a, b, c] = await target.data();
    expect(c).toBe(254);
    for (const [found, was] of [
      [a, 1],
      [b, 2],
    ])
      expect(Math.abs(found - was)).toBeLessThanOrEqual(1.02);
  });
});
