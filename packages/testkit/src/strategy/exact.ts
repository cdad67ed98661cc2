import { all, type AttentionStrategy, type Layer, type Plan } from '@jit-attention/core';

import type { HostArray } from '../array.js';
import { assertClose } from '../compare.js';
import { type Inputs, starts } from '../inputs.js';
import { type Problem, sinkLogitsOf } from '../problem.js';
import type { Runner } from '../runner.js';
import { scaleByLogits } from '../tolerances.js';
import { inCalls, prefill, run, unevenCalls } from './calls.js';
import { evaluatePlan, type Evaluated } from './evaluate.js';
import { property, type StrategySuite, type Subject } from './suite.js';

const unless = ({ supports }: AttentionStrategy): string | undefined =>
  supports.exact ? undefined : 'supports.exact is false';

/** Strategies that read the cache's own entries: with a budget that covers all they are dense attention. */
export function testExact(runner: Runner, suite: StrategySuite): void {
  const strategies = suite.covering ? { covering: suite.covering } : {};
  const covering = { ...suite, strategies };
  runner.describe(`${suite.name}: exactness`, () => {
    const dense = 'a budget that covers everything is dense attention';
    property(runner, covering, dense, equalsDense, { unless });
    const convex = 'outputs lie between the smallest and the largest visible value';
    property(runner, suite, convex, isConvex, { unless });
  });
}

async function equalsDense(problem: Problem, subject: Subject): Promise<void> {
  const attention = subject.attention(problem);
  const inputs = subject.inputs(problem);
  const expect = async (what: string, causal: boolean, actual: Promise<HostArray>) => {
    const expected = await dense(inputs, problem, attention.layer, causal);
    const tolerance = scaleByLogits(subject.tolerance.f32, expected.largestLogit);
    const { shape, data } = await actual;
    assertClose(what, data, expected.output, { tolerance, shape });
  };
  await expect('prefill', true, prefill(attention, inputs));
  const calls = unevenCalls(problem.lengths, problem.seed);
  await expect('in calls', true, inCalls(attention, inputs, calls));
  if (attention.strategy.supports.bidirectional)
    await expect('not causal', false, run(attention, inputs, { causal: false }));
}

/** Dense attention by the straight formula. */
function dense(
  inputs: Inputs,
  problem: Problem,
  layer: Layer,
  causal: boolean,
): Promise<Evaluated> {
  const { query, key: keys, value: values = keys, lengths } = inputs;
  const plan: Plan = { branches: [{ keys: 'cache', selection: all }] };
  const positions = { first: starts(lengths), counts: lengths, tokens: query.shape[2] };
  const sinkLogits = sinkLogitsOf(problem);
  return evaluatePlan(
    { plan, positions },
    { layer, query, keys, values, lengths, causal, sinkLogits },
  );
}

/** Weights are not negative and add up to one; a query that reads nothing gives zeros. */
async function isConvex(problem: Problem, subject: Subject): Promise<void> {
  const attention = subject.attention(problem, { sinkLogits: undefined });
  const inputs = subject.inputs(problem);
  const { shape, data } = await prefill(attention, inputs);
  const [, heads, tokens, width] = shape;
  problem.lengths.forEach((length, row) => {
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor(head / problem.group);
      const extremes = new Extremes(inputs.value ?? inputs.key, row, kvHead, width);
      for (let token = 0; token < length; token++) {
        extremes.include(token);
        const start = ((row * heads + head) * tokens + token) * width;
        const output = data.subarray(start, start + width);
        const place = `row ${row}, head ${head}, token ${token}`;
        if (output.some((value) => value !== 0))
          extremes.assertInside(place, output, subject.tolerance.f32);
      }
    }
  });
}

/** The smallest and largest value of each channel, of the entries of one kv head that were included. */
class Extremes {
  readonly #values: HostArray;
  readonly #start: number;
  readonly #low: Float32Array;
  readonly #high: Float32Array;

  constructor(values: HostArray, row: number, kvHead: number, width: number) {
    const [, kvHeads, tokens, stride] = values.shape;
    this.#values = values;
    this.#start = (row * kvHeads + kvHead) * tokens * stride;
    this.#low = new Float32Array(width).fill(Infinity);
    this.#high = new Float32Array(width).fill(-Infinity);
  }

  include(entry: number): void {
    const { shape, data } = this.#values;
    const start = this.#start + entry * shape[3];
    for (let d = 0; d < this.#low.length; d++) {
      this.#low[d] = Math.min(this.#low[d], data[start + d]);
      this.#high[d] = Math.max(this.#high[d], data[start + d]);
    }
  }

  assertInside(place: string, output: Float32Array, tolerance: number): void {
    output.forEach((value, d) => {
      const [low, high] = [this.#low[d], this.#high[d]];
      const slack = tolerance * Math.max(Math.abs(low), Math.abs(high));
      if (value >= low - slack && value <= high + slack) return;
      throw new Error(
        `${place}, channel ${d}: expected a value in [${low}, ${high}], got ${value}`,
      );
    });
  }
}
