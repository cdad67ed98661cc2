import { type Backend, ranges } from '@jit-attention/core';

import type { HostArray } from '../array.js';
import { assertSame } from '../compare.js';
import { layOut } from '../paged.js';
import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { attend, type Attended } from './attend.js';
import { agree, Bench, type Results } from './bench.js';
import { type Context, contexts, type Material, materialOf, toleranceFor } from './context.js';
import { type BackendSuite, property } from './suite.js';

/** Numbers at the edge of what f32 holds, and nothing at all. */
export function testExtremes(runner: Runner, suite: BackendSuite): void {
  const check = (
    name: string,
    change: (context: Context, material: Material) => Material,
    toleranceOf: typeof toleranceFor = (_context, _material, tolerance) => tolerance,
  ): void =>
    property(runner, suite, name, [contexts()], (backend, context) => {
      const whole: Context = { ...context, numbers: 'whole', values: 'own', softcap: undefined };
      const material = change(whole, materialOf(whole));
      return agree(
        backend,
        (bench) => outputOf(attend(bench, whole, material)),
        toleranceOf(whole, material, suite.tolerance.f32),
      );
    });
  runner.describe(`${suite.name}: extremes`, () => {
    property(runner, suite, 'nothing selected: zeros, -Infinity', [contexts()], readsNothing);
    check(
      'logits in the hundred thousands: the largest take all',
      (_, material) => ({
        ...material,
        query: mapped(material.query, (value) => value * 2 ** 15),
      }),
      toleranceFor,
    );
    check('a logit of Infinity takes all, -Infinity nothing', withInfinities);
    check('values and keys too small for a normal f32', (context, material) =>
      withRows(context, material, (value, i) => (i % 3 === 0 ? value * 1e-40 : value)),
    );
    check('values and keys near the largest f32', (context, material) => ({
      ...withRows(context, material, (value) => value * 1e36),
      query: mapped(material.query, (value) => value * 1e-36),
    }));
  });
}

function outputOf({ output, logSumExp, counts }: Attended): Results {
  logSumExp.dispose(); // Its own size decides how well f32 can hold it.
  return { output, counts };
}

async function readsNothing(backend: Backend, context: Context): Promise<void> {
  const bench = new Bench(backend);
  const { output, logSumExp, counts } = attend(bench, context, materialOf(context), {
    selection: ranges(),
  });
  for (const tensor of [output, logSumExp, counts]) bench.keep(tensor);
  assertSame('output', await output.data(), new Float32Array(output.size));
  assertSame('logSumExp', await logSumExp.data(), new Float32Array(logSumExp.size).fill(-Infinity));
  assertSame('counts', await counts.data(), new Int32Array(counts.size));
  bench.clear();
}

/** Some keys point to either infinity in a channel in which every query is 1. */
function withInfinities(context: Context, material: Material): Material {
  const next = uniform(context.seed, 'infinities');
  const width = context.headDim;
  const sign = (): number => [1, 1, 1, Infinity, -Infinity][Math.floor(5 * next())];
  const query = mapped(material.query, (value, i) =>
    i % width === 0 && !Number.isNaN(value) ? 1 : value,
  );
  const keyRows = mapped(material.keyRows, (value, i) => (i % width === 0 ? sign() : value));
  return { ...material, query, ...laidOut(context, keyRows, material.valueRows) };
}

/** Other keys and values. */
function withRows(
  context: Context,
  material: Material,
  change: (value: number, i: number) => number,
): Material {
  const rows = [material.keyRows, material.valueRows].map((array) => mapped(array, change));
  return { ...material, ...laidOut(context, rows[0], rows[1]) };
}

function laidOut(
  { lengths, pageSize, seed }: Context,
  keyRows: HostArray,
  valueRows: HostArray,
): Pick<Material, 'keyRows' | 'valueRows' | 'keys' | 'values'> {
  const pages = { pageSize, next: uniform(seed, 'extreme pages') };
  const keys = layOut(keyRows, lengths, pages);
  return { keyRows, valueRows, keys, values: layOut(valueRows, lengths, pages) };
}

function mapped(
  { shape, data }: HostArray,
  change: (value: number, i: number) => number,
): HostArray {
  return { shape, data: data.map(change) };
}
