import type { AttentionStrategy } from '@jit-attention/core';

import { prefill } from './calls.js';
import type { Problem } from '../problem.js';
import { itUnless, type Runner } from '../runner.js';
import { property, sampleLayer, type StrategySuite, type Subject } from './suite.js';

/** What a strategy says of itself. */
export function testManifest(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: what it says of itself`, () => {
    for (const [label, create] of Object.entries(suite.strategies)) {
      itUnless(runner, undefined, `${label}: name, version and what it supports`, async () => {
        const strategy = create(sampleLayer(suite.limits), 1);
        assertManifest(strategy);
        if (strategy.supports.exact && !suite.covering)
          throw new Error('expected `covering`, as supports.exact is true; got none');
        await Promise.resolve();
      });
    }
    property(runner, suite, 'plans at once where it says so', plansAtOnce, {
      unless: ({ supports }) => (supports.sync ? undefined : 'supports.sync is false'),
    });
  });
}

function assertManifest({ name, apiVersion, supports }: AttentionStrategy): void {
  if (typeof name !== 'string' || name === '')
    throw new Error(`expected a name, got ${JSON.stringify(name)}`);
  if (apiVersion !== 1) throw new Error(`expected apiVersion 1, got ${String(apiVersion)}`);
  for (const key of ['exact', 'sync', 'bidirectional'] as const) {
    if (typeof supports[key] === 'boolean') continue;
    throw new Error(`expected supports.${key} to be true or false, got ${String(supports[key])}`);
  }
}

async function plansAtOnce(problem: Problem, subject: Subject): Promise<void> {
  const watched = subject.wrapped((strategy) => ({
    ...strategy,
    plan(step) {
      const plan = strategy.plan(step);
      if (plan instanceof Promise) throw new Error('expected a plan, got a promise');
      return plan;
    },
  }));
  await prefill(watched.attention(problem), watched.inputs(problem));
}
