import { testJudges } from '@jit-attention/testkit/exams/judges';
import { describe, it } from 'vitest';

import { CONFIGURATIONS } from '../src/configurations.js';

for (const suite of CONFIGURATIONS) testJudges({ describe, it }, suite);
