import { testOnnxRuntime } from '@jit-attention/testkit/exams/onnxruntime';
import { describe, it } from 'vitest';

import { ON_CPU } from '../src/configurations.js';

/** However few the environment asks for. */
const CASES = 300;

testOnnxRuntime({ describe, it }, { ...ON_CPU[0], cases: CASES });
