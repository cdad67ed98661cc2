import { reference } from '@jit-attention/core';
import { describe, it } from 'vitest';

import { testOnnxRuntime } from '../exams/onnxruntime/index.js';
import { tolerances } from '../src/index.js';

testOnnxRuntime(
  { describe, it },
  { name: 'on the reference', factory: reference, tolerance: tolerances.reference },
);
