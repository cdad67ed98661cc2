import { rowBytes } from '@jit-attention/core';
import fc from 'fast-check';

import { type HostArray, range, sizeOf, take } from '../array.js';
import { assertClose, assertSame } from '../compare.js';
import { shuffled, uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { type ArrayCase, arrays, codeRows, numbersOf } from './arrays.js';
import { Bench, type FloatType } from './bench.js';
import { type BackendSuite, property } from './suite.js';

const FLOATS = ['f32', 'f16', 'i8'] as const;

/** Numbers in and out: `tensor`, `zeros`, `read`, `writeRows`, `copyPages`, `memory`. */
export function testStorage(runner: Runner, suite: BackendSuite): void {
  runner.describe(`${suite.name}: storage`, () => {
    for (const dtype of FLOATS) {
      const rounds = `${dtype} gives numbers back as near as it can hold them`;
      property(runner, suite, rounds, [arrays()], (backend, one) =>
        givesBack(new Bench(backend), one, dtype),
      );
      property(runner, suite, `rows of ${dtype} are written in pages`, [arrays()], (backend, one) =>
        writesRows(new Bench(backend), one, dtype),
      );
      property(runner, suite, `pages of ${dtype} are copied`, [arrays()], (backend, one) =>
        copiesPages(new Bench(backend), one, dtype),
      );
    }
    property(
      runner,
      suite,
      'i32 gives numbers back',
      [fc.int32Array({ minLength: 1 })],
      async (backend, data) => {
        const tensor = backend.tensor(data, { shape: [data.length], dtype: 'i32' });
        assertSame('i32', await tensor.data(), data);
        tensor.dispose();
      },
    );
  });
}

async function givesBack(bench: Bench, one: ArrayCase, dtype: FloatType): Promise<void> {
  const { backend } = bench;
  const numbers = numbersOf(one, 'x', one.shape);
  const before = backend.memory();
  const tensor = bench.tensor(numbers, dtype);
  const zeros = bench.keep(backend.zeros({ shape: one.shape, dtype }));
  const held = backend.memory();
  assertSame('live tensors', [held.tensors - before.tensors], [2]);
  const least = 2 * (tensor.size / one.shape[3]) * rowBytes(dtype, one.shape[3]);
  if (held.bytes - before.bytes < least)
    throw new Error(`memory: expected at least ${least} bytes, got ${held.bytes - before.bytes}`);
  assertSame('zeros', await zeros.data(), new Float32Array(tensor.size));
  assertHeld(await tensor.data(), numbers, dtype);
  bench.clear();
}

/** Half a unit in the last place of `f16`, half a step of a row of `i8`, nothing of `f32`. */
function assertHeld(held: Float32Array, { shape, data }: HostArray, dtype: FloatType): void {
  const width = shape.at(-1)!;
  for (let at = 0; at < data.length; at += width) {
    const row = data.subarray(at, at + width);
    const step = Math.max(...row.map(Math.abs)) / 127;
    row.forEach((value, d) => {
      const half = { f32: 0, f16: Math.max(2 ** -25, Math.abs(value) * 2 ** -11), i8: step / 2 };
      if (Math.abs(held[at + d] - value) <= half[dtype] * (1 + 1e-5)) return;
      throw new Error(`at ${at + d}: expected ${value} as ${dtype}, got ${held[at + d]}`);
    });
  }
}

/** Rows that the dtype holds as they are. */
function rowsFor(
  dtype: FloatType,
  one: ArrayCase,
  name: string,
  shape: readonly number[],
): HostArray {
  return dtype === 'f32' ? numbersOf(one, name, shape) : codeRows(one.seed, name, shape);
}

async function writesRows(bench: Bench, one: ArrayCase, dtype: FloatType): Promise<void> {
  const [batch, heads, tokens, width] = one.shape;
  const [pages, pageSize] = [1 + ((batch * tokens) >> 1), 3];
  const next = uniform(one.seed, 'slots');
  const order = shuffled(pages * pageSize, next);
  const slots = Int32Array.from({ length: batch * tokens }, () =>
    next() < 0.2 ? -1 : order.pop()!,
  );
  const rows = rowsFor(dtype, one, 'rows', one.shape);
  const shape = [pages, heads, pageSize, width];
  const target = bench.keep(bench.backend.zeros({ shape, dtype }));
  bench.backend.writeRows(target, bench.tensor(rows), slots);
  const expected = new Float32Array(sizeOf(shape));
  slots.forEach((slot, i) => {
    if (slot < 0) return;
    for (let head = 0; head < heads; head++) {
      const from = ((Math.floor(i / tokens) * heads + head) * tokens + (i % tokens)) * width;
      const to =
        ((Math.floor(slot / pageSize) * heads + head) * pageSize + (slot % pageSize)) * width;
      expected.set(rows.data.subarray(from, from + width), to);
    }
  });
  assertClose('target', await target.data(), expected, { tolerance: 1e-6, shape });
  bench.clear();
}

/** To another tensor, and within one. */
async function copiesPages(bench: Bench, one: ArrayCase, dtype: FloatType): Promise<void> {
  const next = uniform(one.seed, 'pages');
  const pages = 6;
  const shape = [pages, ...one.shape.slice(1)];
  const [source, target] = ['source', 'target'].map((name) => rowsFor(dtype, one, name, shape));
  const from = shuffled(pages, next).slice(0, 1 + Math.floor(pages * next()));
  const to = shuffled(pages, next).slice(0, from.length);
  const [sourceOn, targetOn] = [bench.tensor(source, dtype), bench.tensor(target, dtype)];
  bench.backend.copyPages(sourceOn, targetOn, from, to);
  const copied = take(
    {
      shape: [2 * pages, ...shape.slice(1)],
      data: Float32Array.from([...target.data, ...source.data]),
    },
    0,
    range(0, pages).map((page) => (to.includes(page) ? pages + from[to.indexOf(page)] : page)),
  );
  assertClose('target', await targetOn.data(), copied.data, { tolerance: 1e-6, shape });
  bench.backend.copyPages(targetOn, targetOn, [0], [pages - 1]);
  const within = take(copied, 0, [...range(0, pages - 1), 0]);
  assertClose('within', await targetOn.data(), within.data, { tolerance: 1e-6, shape });
  bench.clear();
}
