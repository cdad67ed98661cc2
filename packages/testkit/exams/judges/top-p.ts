import fc from 'fast-check';

import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { topP, type TopPOptions } from '../../judges/top-p.js';
import {
  attendCache,
  best,
  clear,
  clearRound,
  dot,
  everyQuery,
  exam,
  examine,
  GAP,
  type Inputs,
  type Matrix,
  matrix,
  type Problem,
  problems,
  randomInputs,
  softmax,
  span,
} from './support/index.js';
import { remembered } from './support/remembered.js';

const options = fc.record({
  p: fc.oneof(fc.double({ min: 0.05, max: 1, noNaN: true }), fc.constant(1)),
  capacity: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  pages: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
});

/** 16 levels from the smallest channel to the largest. */
function int4(x: readonly number[]): number[] {
  const min = Math.min(...x);
  const scale = (Math.max(...x) - min) / 15;
  return scale === 0 ? [...x] : x.map((value) => min + scale * clearRound((value - min) / scale));
}

/** The fewest ids, best first, whose share reaches `p`; a case that hangs on rounding is left out. */
function smallestSet(
  ids: readonly number[],
  shares: readonly number[],
  { p, capacity }: TopPOptions,
) {
  const shareOf = (id: number) => shares[ids.indexOf(id)];
  const order = [...ids].sort((a, b) => shareOf(b) - shareOf(a) || a - b);
  let [size, mass] = [0, 0];
  while (size < order.length && (p === 1 || mass < p)) {
    mass += shareOf(order[size++]);
    fc.pre(p === 1 || Math.abs(mass - p) > GAP);
  }
  return clear(best(shareOf, ids, Math.min(size, capacity ?? Infinity)));
}

/** What any head of the group keeps of its candidates. */
function selection(problem: Problem, inputs: Inputs, options: TopPOptions) {
  const { group, headDim, pageSize } = problem;
  const { pages = Infinity } = options;
  return (row: number, kvHead: number, position: number): number[] => {
    const keys = matrix(inputs.key, problem, row, kvHead).slice(0, position + 1);
    const queries = span(kvHead * group, (kvHead + 1) * group).map(
      (head) => matrix(inputs.query, problem, row, head)[position],
    );
    const current = Math.floor(position / pageSize);
    const bound = (page: number) =>
      pageBound(queries, keys.slice(page * pageSize, (page + 1) * pageSize));
    const kept = clear(best(bound, span(0, current + 1), pages, [current]));
    const candidates = span(0, position + 1).filter((id) =>
      kept.includes(Math.floor(id / pageSize)),
    );
    const estimates = candidates.map((id) => int4(keys[id]));
    const sets = queries.map((query) => {
      const logits = estimates.map((key) => headDim ** -0.5 * dot(query, key));
      return smallestSet(candidates, softmax(logits), options);
    });
    return [...new Set(sets.flat())].sort((a, b) => a - b);
  };
}

/** The largest over the group of `Σ_d max(q_d min_d, q_d max_d)`. */
function pageBound(queries: Matrix, page: Matrix): number {
  const bounds = queries.map((query) => {
    const channels = query.map((q, d) => page.map((key) => q * key[d]));
    return channels.reduce((sum, products) => sum + Math.max(...products), 0);
  });
  return Math.max(...bounds);
}

export function testTopP(runner: Runner, suite: BackendSuite): void {
  runner.describe(`top-p, ${suite.name}`, () => {
    exam(
      runner,
      suite,
      'reads, for each kv head, the smallest sets of estimated mass p of its query heads',
      [problems(), options],
      async (ground, problem, options) => {
        const inputs = randomInputs(problem);
        const selected = remembered(selection(problem, inputs, options));
        const output = everyQuery(problem, (place) =>
          attendCache(problem, inputs, place, selected(place.row, place.kvHead, place.position)),
        );
        await examine(ground, problem, {
          strategy: () => topP(options),
          inputs,
          output,
          reads: [({ row, kvHead, position }) => selected(row, kvHead, position)],
        });
      },
    );
  });
}
