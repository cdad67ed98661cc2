import { testStrategy } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { dense } from '../src/index.js';

testStrategy(
  { describe, it },
  { name: 'dense', strategies: { dense: () => dense() }, covering: () => dense() },
);
