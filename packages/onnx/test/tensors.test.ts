import { holds } from '@jit-attention/testkit';
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';

import { joinTensors, lastRows, sizeOf, sliceTensor, toFloats } from '../src/run/tensors.js';
import type { RuntimeTensor } from '../src/runtime.js';

interface Case {
  readonly dims: readonly number[];
  readonly axis: number;
  readonly cuts: readonly number[];
}

const cases: fc.Arbitrary<Case> = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })
  .chain((dims) =>
    fc.nat(dims.length - 1).chain((axis) =>
      fc.record({
        dims: fc.constant(dims),
        axis: fc.constant(axis),
        cuts: fc.uniqueArray(fc.nat(dims[axis]), { maxLength: 3 }),
      }),
    ),
  );

const count = (dims: readonly number[]): RuntimeTensor =>
  new ort.Tensor(
    'float32',
    Float32Array.from({ length: sizeOf(dims) }, (_, i) => i),
    dims,
  );

test('what is cut along an axis is joined again', () =>
  holds([cases], ({ dims, axis, cuts }) => {
    const tensor = count(dims);
    const ends = [...cuts, dims[axis]].sort((a, b) => a - b);
    const parts = ends.map((end, i) =>
      sliceTensor(ort, tensor, { axis, start: i === 0 ? 0 : ends[i - 1], end }),
    );
    const joined = joinTensors(ort, parts, axis);
    expect(joined.dims).toEqual(dims);
    expect(joined.data).toEqual(tensor.data);
    return Promise.resolve();
  }));

test('the last rows of texts that end at different columns', () => {
  const { dims, data } = lastRows(ort, count([2, 4, 1]), { count: 3, ends: [4, 2] });
  expect(dims).toEqual([2, 3, 1]);
  expect([...(data as Float32Array)]).toEqual([1, 2, 3, 0, 4, 5]);
});

test('halves are read, in bits or not', () => {
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x7c00, 0x0001);
  const expected = Float32Array.of(1, -2, Infinity, 2 ** -24);
  expect(toFloats({ type: 'float16', data: bits })).toEqual(expected);
});
