import { TensorProto_DataType as DataType } from 'onnx-buf';

import type { Fact, Known, Rule } from './fact.js';
import { broadcast } from './sizes.js';

/** Sizes and type of the first input; and its elements, where a scale or a shape is computed with it. */
const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Identity: (x) => x,
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Floor: Math.floor,
  Ceil: Math.ceil,
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Min: Math.min,
  Max: Math.max,
};

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  Equal: (a, b) => a === b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
  And: (a, b) => a !== 0 && b !== 0,
  Or: (a, b) => a !== 0 || b !== 0,
};

/** Sizes and type of the first input, element by element or row by row. */
const SHAPED_AS_FIRST = [
  'Relu Sigmoid Tanh Erf Exp Log Cos Sin Clip Gelu FastGelu QuickGelu BiasGelu Softmax Dropout',
  'LayerNormalization SimplifiedLayerNormalization RMSNormalization SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization RotaryEmbedding CumSum Trilu ScatterND',
].flatMap((names) => names.split(' '));

const INTEGERS: readonly (DataType | undefined)[] = [DataType.INT64, DataType.INT32];

/** Operators that compute new elements from old ones. */
export const COMPUTING: Readonly<Record<string, Rule>> = {
  ...each(SHAPED_AS_FIRST, () => ({ inputs: [{ type, dims }] }) => [{ type, dims }]),

  ...each(Object.keys(UNARY), (op) => ({ inputs: [data] }) => {
    return [{ ...data, numbers: mapped(data.numbers, UNARY[op]) }];
  }),

  ...each(Object.keys(BINARY), (op) => ({ inputs: [a, b = {}] }) => {
    const type = a.type ?? b.type;
    const whole = INTEGERS.includes(type) ? Math.trunc : (x: number) => x;
    return [{ ...pairwise(a, b, (x, y) => whole(BINARY[op](x, y))), type }];
  }),

  ...each(Object.keys(COMPARISONS), (op) => ({ inputs: [a, b] }) => {
    return [{ ...pairwise(a, b, (x, y) => Number(COMPARISONS[op](x, y))), type: DataType.BOOL }];
  }),

  ...each(['Not', 'IsNaN'], () => ({ inputs: [{ dims }] }) => [{ type: DataType.BOOL, dims }]),

  Cast({ inputs: [data], int }) {
    const type: DataType = int('to', DataType.FLOAT);
    const cast = INTEGERS.includes(type) ? Math.trunc : (x: number) => x;
    return [{ ...data, type, numbers: mapped(data.numbers, cast) }];
  },

  CastLike: ({ inputs: [data, { type }] }) => [{ ...data, type }],

  Where({ inputs: [condition, a, b] }) {
    const dims = broadcast(condition.dims, broadcast(a.dims, b.dims));
    const numbers = condition.numbers?.map((chosen, i) => {
      return chosen === undefined ? undefined : elementAt(chosen === 0 ? b : a, i);
    });
    return [{ type: a.type ?? b.type, dims, numbers }];
  },

  MatMul: ({ inputs: [a, b] }) => [{ type: a.type ?? b.type, dims: multiplied(a.dims, b.dims) }],

  FusedMatMul({ inputs: [a, b], int }) {
    const turned = (dims: Fact['dims'], by: string): Fact['dims'] =>
      int(by, 0) === 0 ? dims : dims && [...dims.slice(0, -2), dims.at(-1), dims.at(-2)];
    return [{ type: a.type, dims: multiplied(turned(a.dims, 'transA'), turned(b.dims, 'transB')) }];
  },

  MatMulInteger: ({ inputs: [a, b] }) => [
    { type: DataType.INT32, dims: multiplied(a.dims, b.dims) },
  ],

  DynamicQuantizeLinear: ({ inputs: [{ dims }] }) => [
    { type: DataType.UINT8, dims },
    { type: DataType.FLOAT, dims: [] },
    { type: DataType.UINT8, dims: [] },
  ],

  Gemm({ inputs: [a, b], int }) {
    const columns = b.dims?.[int('transB', 0) === 1 ? 0 : 1];
    return [{ type: a.type ?? b.type, dims: [a.dims?.[int('transA', 0)], columns] }];
  },

  MatMulNBits({ inputs: [{ type, dims }], int }) {
    return [{ type, dims: dims && [...dims.slice(0, -1), int('N', 0)] }];
  },

  DequantizeLinear: ({ inputs: [{ dims }, { type }] }) => [{ type, dims }],
  GatherBlockQuantized: ({ inputs: [, , { type }] }) => [{ type }],
};

const mapped = (numbers: Fact['numbers'], compute: (x: number) => number): Fact['numbers'] =>
  numbers?.map((x) => (x === undefined ? undefined : compute(x)));

function each(names: readonly string[], rule: (name: string) => Rule): Record<string, Rule> {
  return Object.fromEntries(names.map((name) => [name, rule(name)]));
}

function pairwise(a: Fact, b: Fact, compute: (x: number, y: number) => number): Fact {
  const dims = broadcast(a.dims, b.dims);
  if (!a.numbers || !b.numbers) return { dims };
  const numbers = Array.from({ length: Math.max(a.numbers.length, b.numbers.length) }, (_, i) => {
    const [x, y] = [elementAt(a, i), elementAt(b, i)];
    return x === undefined || y === undefined ? undefined : compute(x, y);
  });
  return { dims, numbers };
}

/** Of a scalar or a list of one, the same for every index. */
const elementAt = ({ numbers }: Fact, i: number): Known =>
  numbers?.length === 1 ? numbers[0] : numbers?.[i];

function multiplied(a: Fact['dims'], b: Fact['dims']): Fact['dims'] {
  if (!a || !b || a.length < 2 || b.length < 2) return undefined;
  return [...broadcast(a.slice(0, -2), b.slice(0, -2))!, a.at(-2), b.at(-1)];
}
