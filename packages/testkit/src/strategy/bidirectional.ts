import type { AttentionStrategy } from '@jit-attention/core';

import { callOf, type Inputs, mapInputs, numbersFor } from '../inputs.js';
import { type Problem, sinkLogitsOf, tokensOf } from '../problem.js';
import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { assertFollowsPlan } from './evaluate.js';
import { property, type StrategySuite, type Subject } from './suite.js';

const unless = ({ supports }: AttentionStrategy): string | undefined =>
  supports.bidirectional ? undefined : 'supports.bidirectional is false';

/** Attention that is not causal: an encoder's, and to other tokens than the queries' own. */
export function testBidirectional(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: not causal`, () => {
    property(
      runner,
      suite,
      'self-attention follows the plan',
      (problem, subject) => followsPlan(problem, subject, subject.inputs(problem)),
      { unless },
    );
    property(
      runner,
      suite,
      'cross-attention follows the plan',
      (problem, subject) => followsPlan(problem, subject, crossInputs(problem, subject)),
      { unless },
    );
  });
}

async function followsPlan(problem: Problem, subject: Subject, inputs: Inputs): Promise<void> {
  const attention = subject.attention(problem);
  const { query, key: keys, value: values = keys, lengths } = inputs;
  const result = await attention.run({
    ...callOf(inputs),
    batch: lengths.length,
    causal: false,
    keepPlan: true,
  });
  await assertFollowsPlan(result, subject.tolerance.f32, {
    ...{ layer: attention.layer, query, keys, values, lengths, causal: false },
    sinkLogits: sinkLogitsOf(problem),
  });
  result.dispose();
}

/** As many queries as it happens, for the same keys. */
function crossInputs(problem: Problem, subject: Subject): Inputs {
  const { requires = {} } = subject.attention(problem).strategy;
  const queries = 1 + Math.floor(2 * tokensOf(problem) * uniform(problem.seed, 'queries')());
  return mapInputs(subject.inputs(problem), (array, name) => {
    if (name !== 'query' && requires[name]?.per !== 'query') return array;
    const [batch, heads, , width] = array.shape;
    return numbersFor(problem, `other ${name}`, [batch, heads, queries, width]);
  });
}
