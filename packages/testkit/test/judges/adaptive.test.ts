import { describe, it } from 'vitest';

import { testAdaptive } from '../../exams/judges/adaptive.js';
import { onReference } from './on-reference.js';

testAdaptive({ describe, it }, onReference);
