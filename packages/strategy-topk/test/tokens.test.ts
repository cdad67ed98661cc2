import { testStrategy } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { topk } from '../src/index.js';

testStrategy(
  { describe, it },
  {
    name: 'topk over tokens',
    strategies: {
      '8 tokens': () => topk({ budget: 8, granularity: 'token' }),
      'by logit, shared by 4 queries': () =>
        topk({
          ...{ budget: 9, granularity: 'token', rankBy: 'logit' },
          ...{ sinks: 1, recent: 2, queryBlock: 4 },
        }),
    },
    covering: (_, tokens) => topk({ budget: tokens, granularity: 'token', sinks: 0 }),
  },
);
