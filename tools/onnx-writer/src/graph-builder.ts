import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';

/** A whole number becomes an INT attribute, a list of them INTS, text STRING; `{ float }` a FLOAT, whole or not. */
type Attribute = number | readonly number[] | string | { readonly float: number };

export interface NodeOptions {
  attributes?: Record<string, Attribute>;
  domain?: string;
  /** Names of the outputs; by default one, `<node name>/output_0`. */
  outputs?: string[];
}

/** Element types of values, by ONNX's numbers. */
const VALUE_TYPES = {
  f32: DataType.FLOAT,
  f16: DataType.FLOAT16,
  i64: DataType.INT64,
  i32: DataType.INT32,
  u8: DataType.UINT8,
  bool: DataType.BOOL,
};

export type ValueType = keyof typeof VALUE_TYPES;

/** Elements of a constant; halves by their bits, booleans as bytes of a `type` that says so. */
export type ConstantArray = Float32Array | BigInt64Array | Int32Array | Uint16Array | Uint8Array;

/** Where the bytes of a constant lie: in a file of the same folder as the model's. */
export interface ExternalBytes {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface ModelOptions {
  readonly name: string;
  readonly producer: string;
  /** Operator sets by domain: `{ '': 17 }`. */
  readonly operatorSets: Record<string, number>;
}

/** Collects the parts of an ONNX graph, in order; values go by name, as in the format itself. */
export class GraphBuilder {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];

  /** Adds a constant, of the type that the kind of array says unless told; returns its name. */
  constant(
    name: string,
    shape: number[],
    values: ConstantArray,
    type: ValueType = typeOf(values),
  ): string {
    this.#initializers.push(
      create(TensorProtoSchema, {
        name,
        dims: shape.map(BigInt),
        dataType: VALUE_TYPES[type],
        rawData: new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength),
      }),
    );
    return name;
  }

  /** Adds a constant whose bytes lie outside the model's file; returns its name. */
  external(name: string, type: ValueType, shape: number[], bytes: ExternalBytes): string {
    this.#initializers.push(
      create(TensorProtoSchema, {
        name,
        dims: shape.map(BigInt),
        dataType: VALUE_TYPES[type],
        dataLocation: DataLocation.EXTERNAL,
        externalData: Object.entries(bytes).map(([key, value]) => ({ key, value: String(value) })),
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
  input(name: string, type: ValueType, dims: (number | string)[]): string {
    this.#inputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** Declares a graph output, which some node must write. */
  output(name: string, type: ValueType, dims: (number | string)[]): string {
    this.#outputs.push(valueInfo(name, type, dims));
    return name;
  }

  /** The bytes of the finished model. */
  encode({ name, producer, operatorSets }: ModelOptions): Uint8Array {
    const graph = create(GraphProtoSchema, {
      name,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    });
    const model = create(ModelProtoSchema, {
      irVersion: 8n,
      producerName: producer,
      opsetImport: Object.entries(operatorSets).map(([domain, version]) => ({
        domain,
        version: BigInt(version),
      })),
      graph,
    });
    return toBinary(ModelProtoSchema, model);
  }
}

function typeOf(values: ConstantArray): ValueType {
  if (values instanceof Float32Array) return 'f32';
  if (values instanceof BigInt64Array) return 'i64';
  if (values instanceof Int32Array) return 'i32';
  return values instanceof Uint16Array ? 'f16' : 'u8';
}

function toAttribute([name, value]: [string, Attribute]): MessageInitShape<
  typeof AttributeProtoSchema
> {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: BigInt(value) };
  if (typeof value === 'string')
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
}

function valueInfo(name: string, type: ValueType, dims: (number | string)[]): ValueInfoProto {
  const dim = dims.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }));
  const tensorType = { elemType: VALUE_TYPES[type], shape: { dim } };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: tensorType } },
  });
}
