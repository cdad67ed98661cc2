import { describe, it } from 'vitest';

import { testReuse } from '../../exams/judges/reuse.js';
import { onReference } from './on-reference.js';

testReuse({ describe, it }, onReference);
