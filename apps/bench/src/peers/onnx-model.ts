import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
  type ValueInfoProtoSchema,
} from 'onnx-buf';

/** ONNX Runtime's own operators, not of the standard. */
export const MICROSOFT = 'com.microsoft';

/** One node, all of whose inputs are the graph's. */
export interface Operator {
  readonly opType: string;
  readonly domain: string;
  readonly attributes: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, OnnxInput>>;
  /** The first is wanted. */
  readonly outputs: readonly string[];
}

export interface OnnxInput {
  readonly type: 'float32' | 'int32';
  readonly data: Float32Array | Int32Array;
  readonly dims: readonly number[];
}

/** A model of one node. */
export function modelOf({ opType, domain, attributes, inputs, outputs }: Operator): Uint8Array {
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
          ...{ name: opType, opType, domain, input: Object.keys(inputs), output: [...outputs] },
          attribute: Object.entries(attributes).map(([name, value]) => ({
            ...{ name, type: AttributeType.INT, i: BigInt(value) },
          })),
        },
      ],
      input: Object.entries(inputs).map(([name, { type, dims }]) => valueInfo(name, type, dims)),
      output: outputs.map((name) => valueInfo(name, 'float32')),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

/** Without dimensions: of any shape. */
function valueInfo(
  name: string,
  type: OnnxInput['type'],
  dims?: readonly number[],
): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims?.map((size) => ({ value: { case: 'dimValue' as const, value: BigInt(size) } }));
  const elemType = type === 'int32' ? DataType.INT32 : DataType.FLOAT;
  const tensor = { elemType, ...(dim && { shape: { dim } }) };
  return { name, type: { value: { case: 'tensorType' as const, value: tensor } } };
}
