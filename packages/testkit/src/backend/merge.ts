import type { AttendResult } from '@jit-attention/core';
import fc from 'fast-check';

import { type HostArray, range } from '../array.js';
import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { type ArrayCase, arrays, numbersOf } from './arrays.js';
import { agree, type Bench } from './bench.js';
import { type BackendSuite, property } from './suite.js';

/** `merge`: one softmax over all parts, with sinks, or gates; parts that read nothing. */
export function testMerge(runner: Runner, suite: BackendSuite): void {
  const counts = fc.integer({ min: 1, max: 4 });
  const joins = ['plain', 'sinkLogits', 'gates'] as const;
  runner.describe(`${suite.name}: merge`, () => {
    for (const join of joins) {
      property(runner, suite, join, [arrays(), counts], (backend, one, count) =>
        agree(
          backend,
          (bench) => {
            const [batch, heads, tokens] = one.shape;
            const parts = range(0, count).map((i) => partOn(bench, one, i));
            const gates = bench.tensor(numbersOf(one, 'gates', [batch, heads, tokens, count]));
            const sinkLogits = bench.tensor(numbersOf(one, 'sinks', [heads]));
            const options = { plain: {}, sinkLogits: { sinkLogits }, gates: { gates } }[join];
            return { ...bench.backend.merge(parts, options) };
          },
          suite.tolerance.f32,
        ),
      );
    }
  });
}

/**
 * A part in which a third of the queries read nothing: zeros and -Infinity; a few have met a logit of +Infinity, which
 * takes all, shared with its equals.
 */
function partOn(
  bench: Bench,
  one: ArrayCase,
  i: number,
): Pick<AttendResult, 'output' | 'logSumExp'> {
  const [batch, heads, tokens, width] = one.shape;
  const output = numbersOf(one, `output ${i}`, one.shape);
  const logSumExp = numbersOf(one, `sums ${i}`, [batch, heads, tokens]);
  const next = uniform(one.seed, `empty ${i}`);
  logSumExp.data.forEach((sum, at) => {
    const chance = next();
    logSumExp.data[at] = chance < 1 / 3 ? -Infinity : chance > 0.95 ? Infinity : 10 * sum;
    if (logSumExp.data[at] === -Infinity) output.data.fill(0, at * width, (at + 1) * width);
  });
  const on = (array: HostArray) => bench.tensor(array) as AttendResult['output'];
  return { output: on(output), logSumExp: on(logSumExp) };
}
