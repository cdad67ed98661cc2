import { reference } from '@jit-attention/core';
import { describe, it } from 'vitest';

import { testBackend, tolerances } from '../../src/index.js';

testBackend(
  { describe, it },
  { name: 'reference', factory: reference, tolerance: tolerances.reference },
);
