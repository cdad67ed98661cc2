import type { WebGpuBackend } from '../src/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hasAdapter, NO_ADAPTER, onOneDevice } from './support/backends.js';

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  let backend: WebGpuBackend;
  beforeAll(async () => void (backend = await onOneDevice()));
  afterAll(() => backend.dispose());

  /** Halves share words: rows are put together anew. */
  it('copies channels into rows of f16', async () => {
    const rows = [127, 1, -2, 3, 40, -127, 5, 6, -7, 8];
    const target = backend.tensor(Float32Array.from(rows), { shape: [2, 5], dtype: 'f16' });
    const source = backend.tensor(Float32Array.of(9, 127, -127, 11), {
      shape: [2, 2],
      dtype: 'f16',
    });
    backend.copyInto(target, source, { axis: 1, at: 1 });
    expect([...(await target.data())]).toEqual([127, 9, 127, 3, 40, -127, -127, 11, -7, 8]);
  });
});
