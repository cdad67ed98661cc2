import { reference } from '@jit-attention/core';

import type { BackendSuite } from '../../src/index.js';

/** The reference keeps f64 throughout; only `data()` rounds to f32, by at most half a unit (6e-8). */
export const onReference: BackendSuite = {
  ...{ name: 'on the reference', factory: reference },
  tolerance: { f32: 1e-7, f16: NaN, i8: NaN }, // Judges store f32 alone.
};
