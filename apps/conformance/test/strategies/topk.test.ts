import { describe, it } from 'vitest';

import { CONFIGURATIONS } from '../../src/configurations.js';
import { testStrategies } from '../../src/strategies.js';

for (const on of CONFIGURATIONS) testStrategies({ describe, it }, ['strategy-topk'], on);
