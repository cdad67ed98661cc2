import type { PoolPart, PoolRequest } from '@jit-attention/core';
import fc from 'fast-check';

import { range } from '../array.js';
import { numbersFor } from '../inputs.js';
import { layOut } from '../paged.js';
import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { agree, type Bench } from './bench.js';
import { type Context, contexts } from './context.js';
import { type BackendSuite, property } from './suite.js';

const KINDS = ['mean', 'min', 'max', 'softmax', 'concat'] as const;

/** `pool`: groups of rows, overlapping, partial, before the first and behind the last row. */
export function testPool(runner: Runner, suite: BackendSuite): void {
  const options = fc.record({
    stride: fc.integer({ min: 1, max: 6 }),
    count: fc.integer({ min: 1, max: 6 }),
    storage: fc.constantFrom('f32' as const, 'f16' as const),
  });
  runner.describe(`${suite.name}: pool`, () => {
    for (const kind of KINDS) {
      property(runner, suite, kind, [contexts(), options], (backend, context, options) =>
        agree(
          backend,
          (bench) => ({ pooled: bench.backend.pool(requestOn(bench, context, kind, options)) }),
          suite.tolerance.f32,
        ),
      );
    }
  });
}

function requestOn(
  bench: Bench,
  context: Context,
  kind: PoolRequest['kind'],
  { stride, count, storage }: { stride: number; count: number; storage: 'f32' | 'f16' },
): PoolRequest {
  const next = uniform(context.seed, 'pool');
  const { lengths, headDim } = context;
  const width = 1 + Math.floor(headDim * next() * 0.5);
  const parts = range(0, 1 + Math.floor(2 * next())).map((i): PoolPart => {
    const from = Math.floor((headDim - width) * next());
    const start = Math.floor(6 * next()) - 3;
    const length = 1 + Math.floor(5 * next());
    return {
      values: entriesOn(bench, context, `values ${i}`, storage),
      logits: kind === 'softmax' ? entriesOn(bench, context, `logits ${i}`, 'f32') : undefined,
      ...{ start, length, channels: [from, from + width] },
    };
  });
  const first = lengths.map(() => Math.floor(4 * next()));
  return { kind, parts, stride, first, count };
}

function entriesOn(bench: Bench, context: Context, name: string, storage: 'f32' | 'f16') {
  const { lengths, kvHeads, headDim, pageSize, seed } = context;
  const rows = numbersFor(context, name, [
    ...[lengths.length, kvHeads, Math.max(1, ...lengths), headDim],
  ]);
  return bench.entries(layOut(rows, lengths, { pageSize, next: uniform(seed, name) }), storage);
}
