import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType as DataType,
} from 'onnx-buf';

/** The bytes of a model after a change. */
export function edited(model: Uint8Array, change: (model: ModelProto) => void): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  change(proto);
  return toBinary(ModelProtoSchema, proto);
}

/** The first node of this operator. */
export function nodeOf({ node }: GraphProto, opType: string): NodeProto {
  const found = node.find((one) => one.opType === opType);
  if (!found) throw new Error(`the graph has no ${opType}`);
  return found;
}

export function setInt(node: NodeProto, name: string, i: number): void {
  setAttribute(node, { name, type: AttributeType.INT, i: BigInt(i) });
}

export function setFloat(node: NodeProto, name: string, f: number): void {
  setAttribute(node, { name, type: AttributeType.FLOAT, f });
}

export function setString(node: NodeProto, name: string, text: string): void {
  setAttribute(node, { name, type: AttributeType.STRING, s: new TextEncoder().encode(text) });
}

function setAttribute(node: NodeProto, init: MessageInitShape<typeof AttributeProtoSchema>): void {
  const others = node.attribute.filter(({ name }) => name !== init.name);
  node.attribute = [...others, create(AttributeProtoSchema, init)];
}

/** Puts a value into an input, or takes it out (`''`). */
export function connect(node: NodeProto, input: number, value: string): void {
  while (node.input.length <= input) node.input.push('');
  node.input[input] = value;
}

/** A value is no output of the model any more. */
export function dropOutput(graph: GraphProto, value: string): void {
  graph.output = graph.output.filter(({ name }) => name !== value);
}

/** One more node reads a value. */
export function addReader(graph: GraphProto, value: string): void {
  const output = [`${value}.read`];
  graph.node.push(
    create(NodeProtoSchema, { name: 'reader', opType: 'Relu', input: [value], output }),
  );
}

/** One more node, before all that could read it by its place; gives its output. */
export function addNode(graph: GraphProto, opType: string, input: string[]): string {
  const output = `${input[0]}.${opType}`;
  const makers = graph.node.map((node, i) =>
    node.output.some((one) => input.includes(one)) ? i : -1,
  );
  const node = create(NodeProtoSchema, { name: 'between', opType, input, output: [output] });
  graph.node.splice(Math.max(...makers) + 1, 0, node);
  return output;
}

/** Puts one more node between a node and one of its inputs; `more`: what else that one reads. */
export function insertAt(
  graph: GraphProto,
  node: NodeProto,
  input: number,
  opType: string,
  ...more: string[]
): void {
  connect(node, input, addNode(graph, opType, [node.input[input], ...more]));
}

/** All weights and inputs of f32 say that they are of another type; nobody can run that. */
export function retype({ initializer, input }: GraphProto, type: DataType): void {
  const f32: number = DataType.FLOAT;
  for (const tensor of initializer) if (tensor.dataType === f32) tensor.dataType = type;
  for (const { type: declared } of input) {
    const { case: kind, value } = declared!.value;
    if (kind === 'tensorType' && value.elemType === f32) value.elemType = type;
  }
}

export function setOpset({ opsetImport }: ModelProto, version: number): void {
  opsetImport.find(({ domain }) => domain === '')!.version = BigInt(version);
}
