import type { Inputs, Shape } from '../race/shape.js';
import { headsFirst, tokensFirst } from './heads.js';
import { MICROSOFT, type OnnxInput, type Operator } from './onnx-model.js';

/** One of ONNX Runtime's ways to do causal attention. */
export interface OnnxAttention {
  readonly opType: 'Attention' | 'MultiHeadAttention' | 'GroupQueryAttention';
  operator(shape: Shape, inputs: Inputs): Operator;
  /** Its output as `[heads, tokens, valueDim]`. */
  arrange(output: Float32Array, shape: Shape): Float32Array;
}

const floats = (data: Float32Array, ...dims: number[]): OnnxInput => ({
  type: 'float32',
  data,
  dims,
});
const whole = (value: number): OnnxInput => ({
  type: 'int32',
  data: Int32Array.of(value),
  dims: [1],
});

/** `[1, tokens, heads * width]` */
const packed = (data: Float32Array, heads: number, width: number, tokens: number): OnnxInput =>
  floats(tokensFirst(data, heads, width), 1, tokens, heads * width);

function packedInputs(shape: Shape, { query, key, value }: Inputs): Record<string, OnnxInput> {
  const { heads, kvHeads, headDim, valueDim, tokens } = shape;
  return {
    query: packed(query, heads, headDim, tokens),
    key: packed(key, kvHeads, headDim, tokens),
    value: packed(value, kvHeads, valueDim, tokens),
  };
}

const unpacked = (output: Float32Array, { heads, valueDim }: Shape): Float32Array =>
  headsFirst(output, heads, valueDim);

/** The standard's operator, opset 23. */
const attention: OnnxAttention = {
  opType: 'Attention',
  operator: ({ heads, kvHeads, headDim, valueDim, tokens }, { query, key, value }) => ({
    ...{ opType: 'Attention', domain: '', attributes: { is_causal: 1 }, outputs: ['output'] },
    inputs: {
      query: floats(query, 1, heads, tokens, headDim),
      key: floats(key, 1, kvHeads, tokens, headDim),
      value: floats(value, 1, kvHeads, tokens, valueDim),
    },
  }),
  arrange: (output) => output,
};

const multiHead: OnnxAttention = {
  opType: 'MultiHeadAttention',
  operator: (shape, inputs) => ({
    ...{ opType: 'MultiHeadAttention', domain: MICROSOFT, outputs: ['output'] },
    attributes: { num_heads: shape.heads, unidirectional: 1 },
    inputs: packedInputs(shape, inputs),
  }),
  arrange: unpacked,
};

/** What decoders are exported with: it takes a past, which is empty here. */
const groupQuery: OnnxAttention = {
  opType: 'GroupQueryAttention',
  operator(shape, inputs) {
    const { heads, kvHeads, headDim, tokens } = shape;
    const empty = floats(new Float32Array(0), 1, kvHeads, 0, headDim);
    return {
      ...{ opType: 'GroupQueryAttention', domain: MICROSOFT },
      outputs: ['output', 'presentKey', 'presentValue'],
      attributes: { num_heads: heads, kv_num_heads: kvHeads },
      inputs: {
        ...packedInputs(shape, inputs),
        ...{ pastKey: empty, pastValue: empty, last: whole(tokens - 1), total: whole(tokens) },
      },
    };
  },
  arrange: unpacked,
};

export const ONNX_ATTENTION: readonly OnnxAttention[] = [attention, multiHead, groupQuery];
