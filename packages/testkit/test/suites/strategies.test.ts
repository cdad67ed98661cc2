import {
  all,
  type AttentionStrategy,
  fromQuery,
  type Index,
  type IndexPart,
  type IndexSite,
  type Interval,
  type Plan,
  ranges,
} from '@jit-attention/core';
import { describe, expect, it, vi } from 'vitest';

import {
  type Runner,
  type StrategySuite,
  testExact,
  testHandling,
  testIndependence,
  testManifest,
  testPlan,
  testRewind,
  testSteps,
  testStrategy,
} from '../../src/index.js';
import { collected, failuresOf } from './collect.js';

/** A query's own entry, and more. */
const own = (...more: Interval[]): Plan => ({
  branches: [{ keys: 'cache', selection: ranges([fromQuery(0), fromQuery(1)], ...more) }],
});

const newest: AttentionStrategy = {
  name: 'newest',
  apiVersion: 1,
  supports: { exact: true, sync: true, bidirectional: false },
  plan: () => own([fromQuery(-2), fromQuery(1)]),
};

const suiteOf = (defect: Partial<AttentionStrategy>): StrategySuite => ({
  name: 'newest',
  strategies: { newest: () => ({ ...newest, ...defect }) },
  covering: () => ({ ...newest, plan: () => ({ branches: [{ keys: 'cache', selection: all }] }) }),
});

/** Counts tokens; cannot go back, and is one and the same in a fork. */
function counter(): IndexPart & { tokens: number } {
  return {
    tokens: 0,
    append({ before, after }) {
      this.tokens += Math.max(...after) - Math.max(...before);
    },
    fork() {
      return this;
    },
  };
}

function counting({ index }: { index: Index }): Plan {
  const { tokens } = index.counter as ReturnType<typeof counter>;
  return own([0, tokens % 5]);
}

function leaking({ backend }: IndexSite): Index {
  backend.zeros({ shape: [1] });
  return {};
}

type Aspect = (runner: Runner, suite: StrategySuite) => void;

/** Each with the aspect that must find it. */
const DEFECTS: readonly (readonly [string, Aspect, Partial<AttentionStrategy>])[] = [
  ['has no name', testManifest, { name: '' }],
  ['plans later than it says', testManifest, { plan: () => Promise.resolve(own()) }],
  [
    'depends on how many tokens there are',
    testSteps,
    { plan: ({ keys }) => own([0, keys.lengths[0] >> 1]) },
  ],
  [
    'depends on the size of its batch',
    testIndependence,
    { plan: ({ keys }) => own([0, keys.lengths.length]) },
  ],
  [
    'depends on the number of kv heads',
    testIndependence,
    { plan: ({ layer }) => own([0, layer.kvHeads]) },
  ],
  ['depends on chance', testHandling, { plan: () => own([0, 9 * Math.random()]) }],
  [
    'has an index that does not go back',
    testRewind,
    { index: () => ({ counter: counter() }), plan: counting },
  ],
  ['calls entries dead that it reads', testRewind, { dead: (length) => [[0, length]] }],
  ['leaves tensors behind', testPlan, { index: leaking }],
];

// Defects show in few cases.
vi.stubEnv('JIT_ATTENTION_CASES', '50');

describe('testStrategy', () => {
  it('finds nothing where nothing is wrong', async () => {
    expect(await failuresOf((runner) => testStrategy(runner, suiteOf({})))).toEqual([]);
  });

  it('leaves out what a strategy does not support', () => {
    const names = [...collected((runner) => testStrategy(runner, suiteOf({}))).keys()];
    expect(names).not.toContain('newest: cross-attention follows the plan');
    expect(names).toContain('newest: attention that is not causal is refused');
  });

  it.each(DEFECTS)('finds one that %s', async (_, aspect, defect) => {
    expect(await failuresOf((runner) => aspect(runner, suiteOf(defect)))).not.toEqual([]);
  });

  it('finds one that does not cover what it says it covers', async () => {
    const suite = { ...suiteOf({}), covering: () => newest };
    expect(await failuresOf((runner) => testExact(runner, suite))).toEqual([
      'covering: a budget that covers everything is dense attention',
    ]);
  });

  it('asks an exact strategy how it covers everything', async () => {
    const suite = { ...suiteOf({}), covering: undefined };
    expect(await failuresOf((runner) => testManifest(runner, suite))).toHaveLength(1);
  });
});
