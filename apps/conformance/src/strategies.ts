import { dense } from '@jit-attention/strategy-dense';
import { topk } from '@jit-attention/strategy-topk';
import { windowed } from '@jit-attention/strategy-windowed';
import { type Runner, type StrategySuite, testStrategy } from '@jit-attention/testkit';

import type { Configuration } from './configurations.js';

/** A strategy as its package tests it, on no backend in particular. */
export type Portable = Pick<StrategySuite, 'name' | 'strategies' | 'covering'>;

/** Every strategy package, each by the folder it lies in. */
export const STRATEGIES: Readonly<Record<string, readonly Portable[]>> = {
  'strategy-dense': [
    { name: 'dense', strategies: { dense: () => dense() }, covering: () => dense() },
  ],
  'strategy-windowed': [
    {
      name: 'windowed',
      strategies: {
        'window and sinks': () => windowed({ window: 6, sinks: 2 }),
        'window alone': () => windowed({ window: 5, sinks: 0 }),
      },
      covering: (_, tokens) => windowed({ window: tokens }),
    },
  ],
  'strategy-topk': [
    {
      name: 'topk over pages',
      strategies: {
        '4 pages': ({ pageSize }) => topk({ budget: 4 * pageSize, sinks: 1 }),
        'shared by 3 queries': ({ pageSize }) =>
          topk({ budget: 8 * pageSize, sinks: 1, recent: 2, queryBlock: 3 }),
      },
      covering: (_, tokens) => topk({ budget: tokens, sinks: 0 }),
    },
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
  ],
};

/** Every suite of the packages, on a backend. */
export function testStrategies(
  runner: Runner,
  packages: readonly string[],
  { name, factory: backend, cases, sharesCases, tolerance, limits }: Configuration,
): void {
  for (const suite of packages.flatMap((folder) => STRATEGIES[folder])) {
    const sharers = sharesCases ? Object.keys(suite.strategies).length : 1;
    testStrategy(runner, {
      ...suite,
      ...{ name: `${suite.name}, ${name}`, backend, tolerance, limits },
      cases: Math.ceil(cases / sharers),
    });
  }
}
