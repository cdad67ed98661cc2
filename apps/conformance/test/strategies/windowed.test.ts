import { describe, it } from 'vitest';

import { testStrategies } from '../../src/strategies.js';
import { CONFIGURATIONS } from '../support/configurations.js';

for (const on of CONFIGURATIONS) testStrategies({ describe, it }, ['strategy-windowed'], on);
