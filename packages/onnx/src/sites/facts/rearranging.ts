import { TensorProto_DataType as DataType } from 'onnx-buf';

import { FEW, type Known, type Rule } from './fact.js';
import { axisOf, broadcast, reshaped, sliceRange } from './sizes.js';

/** Operators that move elements, and do not compute with them. */
export const REARRANGING: Readonly<Record<string, Rule>> = {
  Shape({ inputs: [{ dims }], int }) {
    if (!dims) return [{ type: DataType.INT64 }];
    const [start, end] = sliceRange(dims.length, int('start', 0), int('end', dims.length));
    const numbers = dims.slice(start, end);
    return [{ type: DataType.INT64, dims: [numbers.length], numbers }];
  },

  Reshape({ inputs: [data, shape] }) {
    const sizes = shape?.numbers ?? unknowns(shape?.dims?.[0]);
    return [{ ...data, dims: sizes && reshaped(data.dims, sizes) }];
  },

  Transpose({ inputs: [{ type, dims }], ints }) {
    const order = ints('perm', -1) ?? dims?.map((_, axis) => dims.length - 1 - axis);
    return [{ type, dims: dims && order?.map((axis) => dims[axis!]) }];
  },

  Unsqueeze({ inputs: [data], ints }) {
    const axes = ints('axes', 1);
    if (!data.dims || !axes || axes.includes(undefined)) return [{ ...data, dims: undefined }];
    const rank = data.dims.length + axes.length;
    const added = new Set(axes.map((axis) => axisOf(axis!, rank)));
    const old = [...data.dims];
    const dims = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : old.shift()));
    return [{ ...data, dims }];
  },

  Squeeze({ inputs: [data], ints }) {
    const { dims } = data;
    const axes = ints('axes', 1)?.map((axis) => axisOf(axis ?? NaN, dims?.length ?? 0));
    return [{ ...data, dims: axes && dims?.filter((_, axis) => !axes.includes(axis)) }];
  },

  Concat({ inputs, int }) {
    const [{ type, dims }] = inputs;
    const axis = axisOf(int('axis', 0), dims?.length ?? 0);
    const joined = sum(inputs.map((one) => one.dims?.[axis]));
    const numbers = inputs.flatMap((one) => one.numbers ?? unknowns(one.dims?.[0]) ?? [undefined]);
    return [
      {
        type,
        dims: dims?.map((size, at) => (at === axis ? joined : size)),
        numbers: dims?.length === 1 && numbers.length === joined ? few(numbers) : undefined,
      },
    ];
  },

  Slice({ inputs: [{ type, dims, numbers }], ints }) {
    const [starts, ends] = [ints('starts', 1), ints('ends', 2)];
    const axes = ints('axes', 3) ?? starts?.map((_, axis) => axis);
    const steps = ints('steps', 4);
    if (!dims || !starts || !ends || !axes) return [{ type, dims: dims?.map(() => undefined) }];
    const ranges = new Map(axes.map((axis, i) => [axisOf(axis ?? NaN, dims.length), i]));
    const rangeOf = (axis: number): [number, number] | undefined => {
      const i = ranges.get(axis)!;
      const [size, start, end] = [dims[axis], starts[i], ends[i]];
      if (size === undefined || start === undefined || end === undefined) return undefined;
      return (steps?.[i] ?? 1) === 1 ? sliceRange(size, start, end) : undefined;
    };
    const sliced = dims.map((size, axis) => {
      if (!ranges.has(axis)) return size;
      const range = rangeOf(axis);
      return range && Math.max(0, range[1] - range[0]);
    });
    const range = numbers && dims.length === 1 ? rangeOf(0) : undefined;
    return [{ type, dims: sliced, numbers: range && numbers?.slice(...range) }];
  },

  Split(asked) {
    const { inputs, outputs, int } = asked;
    const { type, dims } = inputs[0];
    const axis = axisOf(int('axis', 0), dims?.length ?? 0);
    const sizes = asked.ints('split', 1);
    return Array.from({ length: outputs }, (_, i) => ({
      type,
      dims: dims?.map((size, at) => {
        if (at !== axis) return size;
        return sizes ? sizes[i] : size && Math.ceil(size / outputs);
      }),
    }));
  },

  Gather({ inputs: [{ type, dims, numbers }, indices], int }) {
    const axis = axisOf(int('axis', 0), dims?.length ?? 0);
    const picked = indices?.numbers?.map((at) => numbers?.at(at ?? NaN));
    return [
      {
        type,
        dims: dims &&
          indices?.dims && [...dims.slice(0, axis), ...indices.dims, ...dims.slice(axis + 1)],
        numbers: numbers && picked,
      },
    ];
  },

  Expand({ inputs: [{ type, dims }, shape] }) {
    return [{ type, dims: broadcast(dims, shape?.numbers ?? unknowns(shape?.dims?.[0])) }];
  },

  Range: ({ inputs: [{ type }] }) => [{ type, dims: [undefined] }],

  ConstantOfShape({ inputs: [{ numbers }] }) {
    return [{ dims: numbers }];
  },
};

const few = (numbers: readonly Known[]): readonly Known[] | undefined =>
  numbers.length <= FEW ? numbers : undefined;

function unknowns(count: Known): Known[] | undefined {
  return count === undefined ? undefined : new Array<Known>(Math.min(count, FEW)).fill(undefined);
}

function sum(sizes: readonly Known[]): Known {
  return sizes.reduce(
    (all, size) => (all === undefined || size === undefined ? undefined : all + size),
    0,
  );
}
