import { describe, it } from 'vitest';

import { testAudit } from '../../exams/judges/audit.js';
import { onReference } from './on-reference.js';

testAudit({ describe, it }, onReference);
