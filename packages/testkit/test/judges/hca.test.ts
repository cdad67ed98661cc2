import { describe, it } from 'vitest';

import { testHca } from '../../exams/judges/hca.js';
import { onReference } from './on-reference.js';

testHca({ describe, it }, onReference);
