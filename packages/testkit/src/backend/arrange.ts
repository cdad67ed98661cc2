import fc from 'fast-check';

import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { type ArrayCase, arrays, numbersOf } from './arrays.js';
import { agree, type Bench } from './bench.js';
import { type BackendSuite, property } from './suite.js';

/** Results are copies of numbers: the same bits. */
const EXACT = 0;

/** `slice`, `permute`, `gather`, `copyInto`: numbers in other places. */
export function testArrange(runner: Runner, suite: BackendSuite): void {
  const axes = fc.integer({ min: 0, max: 3 });
  const places = fc.noShrink(fc.integer());
  runner.describe(`${suite.name}: arrange`, () => {
    property(runner, suite, 'slice', [arrays(), axes, places], (backend, one, axis, seed) => {
      const [start, end] = cutOf(one.shape[axis], seed);
      const compute = (bench: Bench) => ({
        slice: bench.backend.slice(inputOn(bench, one), { axis, start, end }),
      });
      return agree(backend, compute, EXACT);
    });
    const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    property(runner, suite, 'permute', [arrays(), orders], (backend, one, order) => {
      const compute = (bench: Bench) => ({
        permute: bench.backend.permute(inputOn(bench, one), order),
      });
      return agree(backend, compute, EXACT);
    });
    property(runner, suite, 'gather', [arrays(), places], (backend, one, seed) => {
      const picks = picksOf(one, seed);
      const compute = (bench: Bench) => ({
        gather: bench.backend.gather(inputOn(bench, one), picks),
      });
      return agree(backend, compute, EXACT);
    });
    property(runner, suite, 'copyInto', [arrays(), axes, places], (backend, one, axis, seed) => {
      const [at, end] = cutOf(one.shape[axis], seed);
      const compute = (bench: Bench) => {
        const target = bench.backend.tensor(numbersOf(one, 'target', one.shape).data, one);
        const part = one.shape.map((length, i) => (i === axis ? end - at : length));
        const source = bench.tensor(numbersOf(one, 'source', part));
        bench.backend.copyInto(target, source, { axis, at });
        return { target };
      };
      return agree(backend, compute, EXACT);
    });
  });
}

function inputOn(bench: Bench, one: ArrayCase) {
  return bench.tensor(numbersOf(one, 'x', one.shape));
}

/** A run of an axis, at least one long. */
function cutOf(length: number, seed: number): [start: number, end: number] {
  const next = uniform(seed, 'cut');
  const start = Math.floor(length * next());
  return [start, start + 1 + Math.floor((length - start) * next())];
}

/** Queries in any order, some of them twice. */
function picksOf({ shape: [batch, , tokens] }: ArrayCase, seed: number): [number, number][] {
  const next = uniform(seed, 'picks');
  return Array.from({ length: 1 + Math.floor(6 * next()) }, () => [
    Math.floor(batch * next()),
    Math.floor(tokens * next()),
  ]);
}
