import { describe, it } from 'vitest';

import { testTopP } from '../../exams/judges/top-p.js';
import { onReference } from './on-reference.js';

testTopP({ describe, it }, onReference);
