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
  const values = inputs.value ?? inputs.key;
  problem.lengths.forEach((length, row) => {
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor(head / problem.group);
      const extremes = runningExtremes(values, row, kvHead, width);
      for (let token = 0; token < length; token++) {
        const start = ((row * heads + head) * tokens + token) * width;
        const output = data.subarray(start, start + width);
        if (output.some((value) => value !== 0)) extremes(token).assertInside(output);
      }
    }
  });
}

interface Extremes {
  assertInside(output: Float32Array): void;
}

/** The smallest and largest value of each channel up to a token; to be asked in order. */
function runningExtremes(
  { shape, data }: HostArray,
  row: number,
  kvHead: number,
  width: number,
): (token: number) => Extremes {
  const [, kvHeads, tokens, stride] = shape;
  const low = new Float32Array(width).fill(Infinity);
  const high = new Float32Array(width).fill(-Infinity);
  return (token) => {
    const start = ((row * kvHeads + kvHead) * tokens + token) * stride;
    for (let d = 0; d < width; d++) {
      low[d] = Math.min(low[d], data[start + d]);
      high[d] = Math.max(high[d], data[start + d]);
    }
    return { assertInside: (output) => assertInside(output, low, high, { row, kvHead, token }) };
  };
}

function assertInside(
  output: Float32Array,
  low: Float32Array,
  high: Float32Array,
  at: { row: number; kvHead: number; token: number },
): void {
  output.forEach((value, d) => {
    const slack = 1e-5 * Math.max(Math.abs(low[d]), Math.abs(high[d]));
    if (value >= low[d] - slack && value <= high[d] + slack) return;
    const place = `row ${at.row}, kv head ${at.kvHead}, token ${at.token}, channel ${d}`;
    throw new Error(`${place}: expected a value in [${low[d]}, ${high[d]}], got ${value}`);
  });
}
