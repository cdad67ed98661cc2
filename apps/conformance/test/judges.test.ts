import { testJudges } from '@jit-attention/testkit/exams/judges';
import { describe, it } from 'vitest';

import { fewCases } from '../src/configurations.js';
import { CONFIGURATIONS } from './support/configurations.js';

// The reference takes all cases, and the backend's primitives do: what is new here is how plans put them together.
for (const suite of CONFIGURATIONS) testJudges({ describe, it }, { ...suite, cases: fewCases() });
