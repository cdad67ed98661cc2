import type { Backend } from '@jit-attention/core';

import { type HostArray, hostOf } from '../array.js';
import { callOf, cutInputs, type Inputs } from '../inputs.js';
import { type Problem, sinkLogitsOf, tokensOf } from '../problem.js';
import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { assertFollowsPlan } from './evaluate.js';
import { property, type StrategySuite, type Subject } from './suite.js';

const STORAGES = ['f32', 'f16', 'i8'] as const;
type Storage = (typeof STORAGES)[number];

/** What is computed is what the plan says, and so is what is counted. */
export function testPlan(runner: Runner, suite: StrategySuite): void {
  runner.describe(`${suite.name}: its plan`, () => {
    for (const storage of STORAGES) {
      const name = `output and counters are the straight formula's, ${storage} storage`;
      property(runner, suite, name, (problem, subject) => followsPlan(problem, subject, storage));
    }
  });
}

/** A prefill in chunks, and what is left in a second call. */
async function followsPlan(problem: Problem, subject: Subject, storage: Storage): Promise<void> {
  const next = uniform(problem.seed, 'plan');
  const attention = subject.attention(problem, { storage, queryChunk: 1 + Math.floor(9 * next()) });
  const inputs = await stored(subject.backend, subject.inputs(problem), storage);
  const sequence = attention.sequence({ batch: problem.lengths.length });
  const split = Math.floor(tokensOf(problem) * next());
  for (const [start, end] of [
    [0, split],
    [split, tokensOf(problem)],
  ]) {
    if (start === end) continue;
    const [from, to] = [start, end].map((at) => problem.lengths.map(() => at));
    const call = cutInputs(inputs, from, to);
    const result = await sequence.attend({ ...callOf(call), keepPlan: true });
    await assertFollowsPlan(result, subject.tolerance.f32, {
      layer: attention.layer,
      query: call.query,
      keys: inputs.key,
      values: inputs.value ?? inputs.key,
      lengths: sequence.lengths,
      causal: true,
      sinkLogits: sinkLogitsOf(problem),
    });
    result.dispose();
  }
  sequence.dispose();
}

/** The inputs with keys and values rounded to what the cache can hold, so that arithmetic alone is compared. */
async function stored(backend: Backend, inputs: Inputs, dtype: Storage): Promise<Inputs> {
  const round = async ({ shape, data }: HostArray): Promise<HostArray> => {
    const tensor = backend.tensor(data, { shape, dtype });
    const rounded = await hostOf(tensor);
    tensor.dispose();
    return rounded;
  };
  const value = inputs.value && (await round(inputs.value));
  return { ...inputs, key: await round(inputs.key), value };
}
