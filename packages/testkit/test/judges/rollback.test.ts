import { describe, it } from 'vitest';

import { testRollback } from '../../exams/judges/rollback.js';
import { onReference } from './on-reference.js';

testRollback({ describe, it }, onReference);
