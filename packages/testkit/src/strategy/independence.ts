import type { AuxSpec } from '@jit-attention/core';

import { range, take } from '../array.js';
import { cutRows, type Inputs, mapInputs, pickRow } from '../inputs.js';
import { headsOf, type Problem, sinkLogitsOf } from '../problem.js';
import type { Runner } from '../runner.js';
import { prefill } from './calls.js';
import { assertSimilar } from './steps.js';
import { property, type StrategySuite, type Subject } from './suite.js';

/** Batch rows and kv heads know nothing of each other; heads of a group are alike. */
export function testIndependence(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: independence`, () => {
    property(runner, suite, 'a batch row is what it is alone', rowsAlone);
    property(runner, suite, 'a kv head and its group are what they are alone', headsAlone);
    property(runner, suite, 'heads of a group that ask the same get the same as one head', alike);
  });
}

async function rowsAlone(problem: Problem, subject: Subject): Promise<void> {
  const attention = subject.attention(problem);
  const inputs = subject.inputs(problem);
  const together = await prefill(attention, inputs);
  for (const [row, length] of problem.lengths.entries()) {
    const alone = await prefill(attention, pickRow(inputs, row));
    assertSimilar(subject, alone, cutRows(take(together, 0, [row]), [0], [length]));
  }
}

async function headsAlone(problem: Problem, subject: Subject): Promise<void> {
  const { group, kvHeads } = problem;
  const attention = subject.attention(problem);
  const inputs = subject.inputs(problem);
  const together = await prefill(attention, inputs);
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    const heads = range(kvHead * group, (kvHead + 1) * group);
    const alone = subject.attention(
      { ...problem, kvHeads: 1 },
      {
        sinkLogits: sinkLogitsOf(problem)?.filter((_, head) => heads.includes(head)),
      },
    );
    const own = pickHeads(inputs, attention.strategy.requires, heads, [kvHead]);
    assertSimilar(subject, await prefill(alone, own), take(together, 1, heads));
  }
}

async function alike(problem: Problem, subject: Subject): Promise<void> {
  const one = { ...problem, group: 1, sinkLogits: false };
  const single = subject.attention(one);
  const inputs = subject.inputs(one);
  const expected = await prefill(single, inputs);
  const repeat = range(0, headsOf(problem)).map((head) => Math.floor(head / problem.group));
  const grouped = subject.attention({ ...problem, sinkLogits: false });
  const kvHeads = range(0, problem.kvHeads);
  const asked = pickHeads(inputs, single.strategy.requires, repeat, kvHeads);
  assertSimilar(subject, await prefill(grouped, asked), take(expected, 1, repeat));
}

/** The inputs of some query heads and kv heads; auxiliary tensors with a fixed number of heads serve all. */
function pickHeads(
  inputs: Inputs,
  requires: Readonly<Record<string, AuxSpec>> = {},
  heads: readonly number[],
  kvHeads: readonly number[],
): Inputs {
  return mapInputs(inputs, (array, name) => {
    const of = name === 'query' ? 'heads' : (requires[name]?.heads ?? 'kvHeads');
    if (typeof of === 'number') return array;
    return take(array, 1, of === 'heads' ? heads : kvHeads);
  });
}
