import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  TensorProto_DataType as DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';

/** A whole number becomes an INT attribute; `{ float }` a FLOAT, whole or not. */
type Attribute = number | { float: number };

interface NodeOptions {
  attributes?: Record<string, Attribute>;
  domain?: string;
  /** Names of the outputs; by default one, `<node name>/output_0`. */
  outputs?: string[];
}

/** Collects the parts of an ONNX graph, in order; values go by name, as in the format itself. */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];

  /** Adds a constant, f32 or i64 by the kind of array; returns its name. */
  constant(name: string, shape: number[], values: Float32Array | BigInt64Array): string {
    this.#initializers.push(
      create(TensorProtoSchema, {
        name,
        dims: shape.map(BigInt),
        dataType: values instanceof Float32Array ? DataType.FLOAT : DataType.INT64,
        rawData: new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
      }),
    );
    return name;
  }

  /** Adds a node called `<path>/<opType>`; returns the name of its first output. */
  node(opType: string, path: string, inputs: string[], options: NodeOptions = {}): string {
    const name = `${path}/${opType}`;
    const output = options.outputs ?? [`${name}/output_0`];
    const attribute = Object.entries(options.attributes ?? {}).map(toAttribute);
    this.#nodes.push(
      create(NodeProtoSchema, {
        ...{ name, opType, input: inputs, output, attribute },
        domain: options.domain ?? '',
      }),
    );
    return output[0];
  }

  /** Declares a graph input. A dimension given as a string is symbolic. */
  input(name: string, dtype: 'f32' | 'i64', dims: (number | string)[]): string {
    this.#inputs.push(valueInfo(name, dtype, dims));
    return name;
  }

  /** Declares a graph output, which some node must write. */
  output(name: string, dtype: 'f32' | 'i64', dims: (number | string)[]): string {
    this.#outputs.push(valueInfo(name, dtype, dims));
    return name;
  }

  /** The finished model, for the operator sets given as `{ domain: version }`. */
  model(name: string, operatorSets: Record<string, number>): ModelProto {
    const graph: GraphProto = create(GraphProtoSchema, {
      name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    });
    return create(ModelProtoSchema, {
      irVersion: 8n,
      producerName: '@jit-attention/reference-model',
      opsetImport: Object.entries(operatorSets).map(([domain, version]) => ({
        domain,
        version: BigInt(version),
      })),
      graph,
    });
  }
}

function toAttribute([name, value]: [string, Attribute]): MessageInitShape<
  typeof AttributeProtoSchema
> {
  return typeof value === 'number'
    ? { name, type: AttributeType.INT, i: BigInt(value) }
    : { name, type: AttributeType.FLOAT, f: value.float };
}

function valueInfo(name: string, dtype: 'f32' | 'i64', dims: (number | string)[]): ValueInfoProto {
  const dim = dims.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }));
  const elemType = dtype === 'f32' ? DataType.FLOAT : DataType.INT64;
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } },
  });
}
