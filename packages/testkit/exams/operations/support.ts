import type { Tensor } from '@jit-attention/core';
import fc from 'fast-check';

import { sizeOf } from '../../src/array.js';
import { codeRows } from '../../src/backend/arrays.js';
import { agree, type Bench, type FloatType, type Results } from '../../src/backend/bench.js';
import { type BackendSuite, property } from '../../src/backend/suite.js';
import { normals, uniform } from '../../src/random.js';
import type { Runner } from '../../src/runner.js';

export const seeds: fc.Arbitrary<number> = fc.noShrink(fc.nat(1e6));

export const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
export const upTo = (max: number): fc.Arbitrary<number> => whole(1, max);

/** Floats as they may be stored, plain ones more often. */
export const dtypes: fc.Arbitrary<FloatType> = fc.constantFrom('f32', 'f32', 'f16', 'i8');

/** Widths of rows: less than a vector, whole vectors, odd remainders, what models have. */
export const widths: fc.Arbitrary<number> = fc.oneof(
  upTo(9),
  upTo(80),
  fc.constantFrom(64, 128, 576),
);

/** Shapes of two to four axes whose last one is a row. */
export const shapes: fc.Arbitrary<number[]> = fc
  .tuple(fc.array(upTo(7), { minLength: 1, maxLength: 3 }), widths)
  .map(([leading, width]) => [...leading, width]);

/** The same, and now and then enough rows for many tasks. */
export const manyRows: fc.Arbitrary<number[]> = fc.oneof(
  { arbitrary: shapes, weight: 4 },
  fc.tuple(whole(200, 3000), upTo(64)).map(([rows, width]) => [rows, width]),
);

/**
 * Standard normal numbers of a seed, or codes for `i8`, which are held without rounding; two sides with the same seed
 * have the same.
 */
export function normal(
  bench: Bench,
  shape: readonly number[],
  seed: number,
  dtype: FloatType = 'f32',
): Tensor {
  const data = normals(sizeOf(shape), uniform(seed, 'normal'));
  return bench.tensor(dtype === 'i8' ? codeRows(seed, 'codes', shape) : { shape, data }, dtype);
}

export type Operation = (runner: Runner, suite: BackendSuite) => void;

/** A test that holds an operation to the reference on random cases; nothing may be left behind. */
export function operation<T>(
  name: string,
  cases: fc.Arbitrary<T>,
  compute: (bench: Bench, one: T) => Results,
): Operation {
  return (runner, suite) =>
    property(runner, suite, name, [cases], (backend, one) =>
      agree(backend, (bench) => compute(bench, one), suite.tolerance.f32),
    );
}
