import { describe, it } from 'vitest';

import { testLightning } from '../../exams/judges/lightning.js';
import { onReference } from './on-reference.js';

testLightning({ describe, it }, onReference);
