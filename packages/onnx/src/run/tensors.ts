import { getFloat16 } from '@petamoriken/float16';

import type { Runtime, RuntimeTensor } from '../runtime.js';

/** ONNX Runtime's names of the element types that are fed, read or kept. */
export type ElementType =
  'float32' | 'float16' | 'float64' | 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';

export type ElementArray =
  Float32Array | Uint16Array | Float64Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;

/** f16 comes in bits. */
const ARRAYS: Readonly<Record<ElementType, new (length: number) => ElementArray>> = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

export const isElementType = (type: string | undefined): type is ElementType =>
  type !== undefined && type in ARRAYS;

export function makeTensor(
  { Tensor }: Runtime,
  type: ElementType,
  data: ElementArray,
  dims: readonly number[],
): RuntimeTensor {
  return new Tensor(type as never, data as never, dims);
}

/** Whole numbers as the elements of a type. */
export function elementsOf(type: ElementType, values: readonly number[]): ElementArray {
  if (type === 'int64') return BigInt64Array.from(values, BigInt);
  const elements = new ARRAYS[type](values.length) as Float32Array;
  elements.set(values);
  return elements;
}

/** A copy of `[start, end)` of one axis. */
export function sliceTensor(
  runtime: Runtime,
  { type, dims, data }: Pick<RuntimeTensor, 'type' | 'dims' | 'data'>,
  { axis, start, end }: { axis: number; start: number; end: number },
): RuntimeTensor {
  const source = data as ElementArray;
  const inner = sizeOf(dims.slice(axis + 1));
  const outer = sizeOf(dims.slice(0, axis));
  const run = (end - start) * inner;
  const cut = new ARRAYS[type as ElementType](outer * run);
  for (let i = 0; i < outer; i++) {
    const from = (i * dims[axis] + start) * inner;
    cut.set(source.subarray(from, from + run) as never, i * run);
  }
  const sizes = dims.map((size, i) => (i === axis ? end - start : size));
  return makeTensor(runtime, type as ElementType, cut, sizes);
}

/** One behind the other along an axis; all other sizes are equal. */
export function joinTensors(
  runtime: Runtime,
  tensors: readonly RuntimeTensor[],
  axis: number,
): RuntimeTensor {
  if (tensors.length === 1) return tensors[0];
  const { type, dims } = tensors[0];
  const outer = sizeOf(dims.slice(0, axis));
  const total = tensors.reduce((sum, tensor) => sum + tensor.dims[axis], 0);
  const sizes = dims.map((size, i) => (i === axis ? total : size));
  const joined = new ARRAYS[type as ElementType](sizeOf(sizes));
  let at = 0;
  for (let i = 0; i < outer; i++) {
    for (const { data, dims: own } of tensors) {
      const run = sizeOf(own.slice(axis));
      joined.set((data as ElementArray).subarray(i * run, (i + 1) * run) as never, at);
      at += run;
    }
  }
  return makeTensor(runtime, type as ElementType, joined, sizes);
}

/** Of each batch row the `count` rows (axis 1) that end at `ends`; zeros in front of a row that has fewer. */
export function lastRows(
  runtime: Runtime,
  { type, dims, data }: RuntimeTensor,
  { count, ends }: { count: number; ends: readonly number[] },
): RuntimeTensor {
  const [, rows, ...rest] = dims;
  const width = sizeOf(rest);
  const picked = new ARRAYS[type as ElementType](ends.length * count * width);
  ends.forEach((end, row) => {
    const taken = Math.min(end, count);
    const from = (row * rows + end - taken) * width;
    const source = (data as ElementArray).subarray(from, from + taken * width);
    picked.set(source as never, ((row + 1) * count - taken) * width);
  });
  return makeTensor(runtime, type as ElementType, picked, [ends.length, count, ...rest]);
}

export const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Floats as f32: as they are where they are f32 already. */
export function toFloats({ type, data }: Pick<RuntimeTensor, 'type' | 'data'>): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type !== 'float16') return Float32Array.from(data as ArrayLike<number>);
  // Newer runtimes have Float16Array where others have its bits.
  const { buffer, byteOffset, byteLength } = data as Uint16Array;
  const view = new DataView(buffer, byteOffset, byteLength);
  return Float32Array.from({ length: byteLength / 2 }, (_, i) => getFloat16(view, 2 * i, true));
}
