import { type Pick, threshold, topk, topp } from '@jit-attention/core';
import { holds } from '@jit-attention/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CpuBackend } from '../src/index.js';
import { CONFIGURATIONS, named, onCpu } from './support/backends.js';
import { seeds, upTo } from './support/arbitraries.js';
import { uniform } from './support/numbers.js';

/** Where scores lie: in a few digits, in all of them, at one end, or at a few values. */
const SPREADS: Readonly<Record<string, (x: number) => number>> = {
  even: (x) => x,
  probabilities: (x) => Math.exp(-40 * x),
  'both signs': (x) => (x - 0.5) * 10 ** (8 * x - 4),
  'a few values': (x) => Math.floor(5 * x) - 2,
  'zeros of both signs': (x) => (x < 0.5 ? -0 : 0),
  infinities: (x) => (x < 0.1 ? -Infinity : x > 0.9 ? Infinity : x),
};

const picks: fc.Arbitrary<Pick> = fc.oneof(
  upTo(3000).map((k) => topk(k)),
  fc.tuple(fc.constantFrom(0, 0.1, 0.9, 1), upTo(3000)).map(([p, capacity]) => topp(p, capacity)),
  fc
    .tuple(fc.constantFrom(-1, 0, 0.5), upTo(3000))
    .map(([min, capacity]) => threshold(min, capacity)),
);

// By sorting, which the kernels do not.
describe.each(CONFIGURATIONS.map((options) => [named(options), options] as const))(
  'picking, %s',
  (_, options) => {
    it('is as by sorting', () =>
      onCpu(options, (backend) =>
        holds(
          [fc.constantFrom(...Object.keys(SPREADS)), seeds, upTo(5000), picks],
          async (spread, seed, units, pick) => {
            const scores = Float32Array.from({ length: units }, uniform(seed)).map(SPREADS[spread]);
            const tensor = backend.tensor(scores, { shape: [1, 1, 1, units] });
            const { ids, counts } = (backend as CpuBackend).pick(tensor, pick);
            const [found, [count]] = await Promise.all([ids.data(), counts.data()]);
            for (const one of [tensor, ids, counts]) one.dispose();
            expect([...found.subarray(0, count)]).toEqual(sorted(scores, pick));
          },
        ),
      ));
  },
);

function sorted(scores: Float32Array, pick: Pick): number[] {
  const order = [...scores.keys()].sort((a, b) => compare(scores[b], scores[a]) || a - b);
  const room = pick.kind === 'topk' ? pick.k : pick.capacity;
  return order.slice(0, Math.min(room, wanted(order, scores, pick))).sort((a, b) => a - b);
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

function wanted(order: readonly number[], scores: Float32Array, pick: Pick): number {
  if (pick.kind === 'topk') return order.length;
  if (pick.kind === 'threshold') return order.filter((unit) => scores[unit] >= pick.min).length;
  if (pick.p >= 1) return order.length;
  const total = scores.reduce((sum, score) => sum + score, 0);
  let [mass, count] = [0, 0];
  while (mass < pick.p * total && count < order.length) mass += scores[order[count++]];
  return count;
}
