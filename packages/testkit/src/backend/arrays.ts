import fc from 'fast-check';

import { type HostArray, sizeOf } from '../array.js';
import { normals, uniform } from '../random.js';

/** A random `[batch, heads, tokens, width]`. */
export interface ArrayCase {
  readonly seed: number;
  readonly shape: readonly [batch: number, heads: number, tokens: number, width: number];
}

export function arrays(
  width: fc.Arbitrary<number> = fc.integer({ min: 1, max: 70 }),
): fc.Arbitrary<ArrayCase> {
  const few = fc.integer({ min: 1, max: 3 });
  const shape = fc.tuple(few, few, fc.integer({ min: 1, max: 9 }), width);
  return fc.record({ seed: fc.noShrink(fc.integer()), shape });
}

/** Normal numbers of a case, by name. */
export function numbersOf({ seed }: ArrayCase, name: string, shape: readonly number[]): HostArray {
  return { shape, data: normals(sizeOf(shape), uniform(seed, name)) };
}

/** Rows of codes from -127 to 127 times 1/64, the largest of them 127: what `i8` holds without rounding. */
export function codeRows(seed: number, name: string, shape: readonly number[]): HostArray {
  const next = uniform(seed, name);
  const width = shape.at(-1)!;
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++)
    data[i] = i % width === 0 ? 127 / 64 : (Math.floor(255 * next()) - 127) / 64;
  return { shape, data };
}
