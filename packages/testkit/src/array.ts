import type { Tensor } from '@jit-attention/core';

/** An array on the host, row-major. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** `[outer, axis, inner]`: how an axis lies in memory. */
function around(shape: readonly number[], axis: number): { outer: number; inner: number } {
  return { outer: sizeOf(shape.slice(0, axis)), inner: sizeOf(shape.slice(axis + 1)) };
}

const resized = (shape: readonly number[], axis: number, length: number): number[] =>
  shape.map((old, i) => (i === axis ? length : old));

/** `numpy.take`: the listed places of one axis, in that order. */
export function take(
  { shape, data }: HostArray,
  axis: number,
  places: readonly number[],
): HostArray {
  const { outer, inner } = around(shape, axis);
  const taken = new Float32Array(outer * places.length * inner);
  for (let i = 0; i < outer; i++) {
    places.forEach((place, j) => {
      const start = (i * shape[axis] + place) * inner;
      taken.set(data.subarray(start, start + inner), (i * places.length + j) * inner);
    });
  }
  return { shape: resized(shape, axis, places.length), data: taken };
}

/** `[start, end)` of one axis. */
export function cut(array: HostArray, axis: number, start: number, end: number): HostArray {
  return take(array, axis, range(start, end));
}

/** Joins arrays along an axis; all other axes are equal. */
export function concat(arrays: readonly HostArray[], axis: number): HostArray {
  const length = arrays.reduce((sum, { shape }) => sum + shape[axis], 0);
  const shape = resized(arrays[0].shape, axis, length);
  const { outer, inner } = around(shape, axis);
  const data = new Float32Array(sizeOf(shape));
  let at = 0;
  for (const one of arrays) {
    const run = one.shape[axis] * inner;
    for (let i = 0; i < outer; i++)
      data.set(one.data.subarray(i * run, (i + 1) * run), i * length * inner + at);
    at += run;
  }
  return { shape, data };
}

/** Whole numbers `[start, end)`. */
export function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

/** Reads a tensor of floats back. */
export async function hostOf(tensor: Tensor): Promise<HostArray> {
  return { shape: tensor.shape, data: Float32Array.from(await tensor.data()) };
}
