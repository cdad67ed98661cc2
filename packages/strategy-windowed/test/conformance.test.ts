import { testStrategy } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { windowed } from '../src/index.js';

testStrategy(
  { describe, it },
  {
    name: 'windowed',
    strategies: {
      'window and sinks': () => windowed({ window: 6, sinks: 2 }),
      'window alone': () => windowed({ window: 5, sinks: 0 }),
    },
    covering: (_, tokens) => windowed({ window: tokens }),
  },
);
