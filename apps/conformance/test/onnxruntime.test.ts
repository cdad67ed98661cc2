import { testOnnxRuntime } from '@jit-attention/testkit/exams/onnxruntime';
import { describe, it } from 'vitest';

import { CONFIGURATIONS } from '../src/configurations.js';

/** However few the environment asks for. */
const CASES = 300;

testOnnxRuntime({ describe, it }, { ...CONFIGURATIONS[0], cases: CASES });
