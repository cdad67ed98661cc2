import type { Backend, Tensor } from '@jit-attention/core';
import fc from 'fast-check';

import { onBackend } from '../backends.js';
import { assertSame } from '../compare.js';
import { assertFails } from '../failure.js';
import type { Runner } from '../runner.js';
import { type ArrayCase, arrays, numbersOf } from './arrays.js';
import { attend, randomSelection } from './attend.js';
import type { Bench } from './bench.js';
import { alike, type Results } from './bench.js';
import { type Context, contexts, materialOf } from './context.js';
import { selectCase } from './select-cases.js';
import { type ScoreName, SCORES } from './select-scores.js';
import { type Kind, KINDS } from './selections.js';
import { type BackendSuite, property } from './suite.js';

/** Determinism, wrong use, and the lives of tensors. That nothing is left alive every property checks. */
export function testTensors(runner: Runner, suite: BackendSuite): void {
  runner.describe(`${suite.name}: tensors`, () => {
    runner.it('has a name and a version', () => onBackend(suite.factory, hasManifest));
    const cases = [contexts(), fc.constantFrom(...KINDS), fc.constantFrom(...SCORES)] as const;
    property(runner, suite, 'the same calls give the same bits', [...cases], repeats);
    property(runner, suite, 'wrong numbers and dead tensors are refused', [arrays()], refuses);
    property(runner, suite, 'results outlive the tensors they were made of', [arrays()], outlives);
  });
}

// eslint-disable-next-line @typescript-eslint/require-await -- what throws must reject
async function hasManifest({ name, apiVersion }: Backend): Promise<void> {
  if (typeof name !== 'string' || name === '') throw new Error('expected a name');
  if (apiVersion !== 1) throw new Error(`expected apiVersion 1, got ${String(apiVersion)}`);
}

async function repeats(
  backend: Backend,
  context: Context,
  kind: Kind,
  name: ScoreName,
): Promise<void> {
  const material = materialOf(context);
  const selection = randomSelection(context, kind);
  const { requestOn } = await selectCase(name, context);
  const compute = (bench: Bench): Results => {
    const { ids, counts: listed } = backend.select(requestOn(bench));
    return { ids, listed, ...attend(bench, context, material, { selection }) };
  };
  await alike(backend, [compute, compute], 0);
}

async function refuses(backend: Backend, one: ArrayCase): Promise<void> {
  const { data, shape } = numbersOf(one, 'x', one.shape);
  const tensor = backend.tensor(data, { shape });
  tensor.dispose();
  tensor.dispose();
  const wrong = { shape: [...shape, 2] };
  await assertFails('INVALID_SHAPE', () => backend.tensor(data, wrong));
  await assertFails('INVALID_SHAPE', () => backend.zeros({ shape: [1.5] }));
  await assertFails('INVALID_DTYPE', () => backend.tensor(data, { shape, dtype: 'f64' as 'f32' }));
  const whole = new Int32Array(data.length) as unknown as Float32Array;
  await assertFails('INVALID_DTYPE', () => backend.tensor(whole, { shape }));
  await assertFails('TENSOR_DISPOSED', () => tensor.data());
  await assertFails('TENSOR_DISPOSED', () => backend.hadamard(tensor));
  await assertFails('TENSOR_DISPOSED', () => backend.permute(tensor, [0, 2, 1, 3]));
}

/** Freeing what queued work reads must not disturb it. */
async function outlives(backend: Backend, one: ArrayCase): Promise<void> {
  const { data, shape } = numbersOf(one, 'x', one.shape);
  let tensor: Tensor = backend.tensor(data, { shape });
  for (const order of [
    [3, 1, 0, 2],
    [2, 1, 3, 0],
  ]) {
    const permuted = backend.permute(tensor, order);
    tensor.dispose();
    tensor = permuted;
  }
  assertSame('twice permuted', await tensor.data(), data);
  tensor.dispose();
}
