import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
} from 'onnx-buf';
import { InferenceSession, Tensor } from 'onnxruntime-node';

import type { HostArray } from '../../src/array.js';

/** Two implementations in f32, each with its own order of sums and its own `exp`. */
export const AGREEMENT = 1e-4;

/** ONNX Runtime's own operators, not of the standard. */
export const MICROSOFT = 'com.microsoft';

/** One node, all of whose inputs are the graph's; '' leaves an optional one out. */
export interface Operator {
  readonly opType: string;
  readonly domain?: string | undefined;
  /** Floats as `{ float }`. */
  readonly attributes: Readonly<Record<string, number | { readonly float: number }>>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Runs a graph of a single node on ONNX Runtime's CPU provider; gives the first output. */
export async function runOperator(
  operator: Operator,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Float32Array> {
  const session = await InferenceSession.create(modelOf(operator, feeds), { logSeverityLevel: 3 });
  try {
    const results = await session.run(feeds, [operator.outputs[0]]);
    return Float32Array.from(results[operator.outputs[0]].data as Float32Array);
  } finally {
    await session.release();
  }
}

function modelOf(operator: Operator, feeds: Readonly<Record<string, Tensor>>): Uint8Array {
  const { opType, domain = '', attributes, inputs, outputs } = operator;
  const model = create(ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [
      { domain: '', version: 23n },
      { domain: MICROSOFT, version: 1n },
    ],
    graph: {
      name: opType,
      node: [
        {
          ...{ name: opType, opType, domain },
          ...{ input: [...inputs], output: [...outputs] },
          attribute: Object.entries(attributes).map(toAttribute),
        },
      ],
      input: Object.entries(feeds).map(([name, { type, dims }]) => valueInfo(name, type, dims)),
      output: outputs.filter((name) => name !== '').map((name) => valueInfo(name, 'float32')),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function toAttribute([name, value]: [
  string,
  number | { readonly float: number },
]): MessageInitShape<typeof AttributeProtoSchema> {
  return typeof value === 'number'
    ? { name, type: AttributeType.INT, i: BigInt(value) }
    : { name, type: AttributeType.FLOAT, f: value.float };
}

const TYPES: Readonly<Record<string, DataType>> = {
  float32: DataType.FLOAT,
  int32: DataType.INT32,
  bool: DataType.BOOL,
};

/** Without dimensions: of any shape. */
function valueInfo(name: string, type: string, dims?: readonly number[]) {
  const dim = dims?.map((size) => ({
    value: { case: 'dimValue' as const, value: BigInt(size) },
  }));
  const tensor = { elemType: TYPES[type], ...(dim && { shape: { dim } }) };
  return { name, type: { value: { case: 'tensorType' as const, value: tensor } } };
}

export function tensorOf({ shape, data }: HostArray): Tensor {
  // NaN in padding is ours; ONNX Runtime reads it.
  return new Tensor(
    'float32',
    data.map((value) => (Number.isNaN(value) ? 0 : value)),
    shape,
  );
}

/** `[batch, heads, tokens, width]` as `[batch, tokens, heads * width]`. */
export function joinHeads({ shape, data }: HostArray): HostArray {
  const [batch, heads, tokens, width] = shape;
  const joined = new Float32Array(data.length);
  for (let i = 0; i < batch * heads * tokens; i++) {
    const [token, head] = [i % tokens, Math.floor(i / tokens) % heads];
    const row = Math.floor(i / (tokens * heads));
    const to = ((row * tokens + token) * heads + head) * width;
    joined.set(data.subarray(i * width, (i + 1) * width), to);
  }
  return { shape: [batch, tokens, heads * width], data: joined };
}

/** And back. */
export function splitHeads({ shape, data }: HostArray, heads: number): HostArray {
  const [batch, tokens, joined] = shape;
  const width = joined / heads;
  const { data: split } = joinHeads({ shape: [batch, tokens, heads, width], data });
  return { shape: [batch, heads, tokens, width], data: split };
}
