import { testStrategy } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { topk } from '../src/index.js';

testStrategy(
  { describe, it },
  {
    name: 'topk over pages',
    strategies: {
      '4 pages': ({ pageSize }) => topk({ budget: 4 * pageSize, sinks: 1 }),
      'shared by 3 queries': ({ pageSize }) =>
        topk({ budget: 8 * pageSize, sinks: 1, recent: 2, queryBlock: 3 }),
    },
    covering: (_, tokens) => topk({ budget: tokens, sinks: 0 }),
  },
);
