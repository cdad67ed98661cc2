import { create } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { attentionNodes, constant, type Edit, floatTensor } from './graphs.js';

/** The forms in which decoders are exported, made of the reference model's graph. */
export const variants: Record<string, Edit> = {
  'as it is': () => {},

  'queries, keys and values packed in one input': (graph) => {
    for (const node of attentionNodes(graph)) pack(graph, node);
  },

  'the rotation in nodes of its own': (graph) => {
    graph.input.push(positions());
    for (const node of attentionNodes(graph)) {
      setInt(node, 'do_rotary', 0);
      for (const index of [0, 1]) node.input[index] = rotateBefore(graph, node, index);
      node.input.length = 7;
    }
  },

  'neighbouring elements rotated': (graph) => {
    for (const node of attentionNodes(graph)) setInt(node, 'rotary_interleaved', 1);
  },

  'half of each head rotated': (graph) => {
    for (const name of ['cos_cache', 'sin_cache']) {
      const { rows, values } = constant(graph, name);
      const half = values.filter((_, i) => i % 32 < 16);
      graph.initializer = graph.initializer.filter((tensor) => tensor.name !== name);
      graph.initializer.push(floatTensor(name, [rows, 16], half));
    }
  },

  'rotary tables computed in the graph': (graph) => {
    for (const name of ['cos_cache', 'sin_cache']) {
      insert(graph, attentionNodes(graph)[0], 'Identity', [name], `${name}_now`);
      for (const node of attentionNodes(graph)) replaceInput(node, name, `${name}_now`);
    }
  },

  'positions as an input of the node': (graph) => {
    graph.input.push(positions());
    for (const node of attentionNodes(graph)) node.input.push('position_ids');
  },

  'a scale of its own': (graph) => {
    for (const node of attentionNodes(graph)) setFloat(node, 'scale', 0.2);
  },

  'attention in half precision': (graph) => {
    for (const node of attentionNodes(graph)) halve(graph, node);
  },

  'weights in a file of their own': (graph, directory) => {
    const data: Uint8Array[] = [];
    let offset = 0;
    for (const tensor of graph.initializer.filter(({ rawData }) => rawData.length > 100)) {
      data.push(tensor.rawData);
      const entries = { location: 'model.onnx_data', offset, length: tensor.rawData.length };
      tensor.externalData = Object.entries(entries).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value: String(value) }),
      );
      tensor.dataLocation = DataLocation.EXTERNAL;
      offset += tensor.rawData.length;
      tensor.rawData = new Uint8Array(0);
    }
    writeFileSync(join(directory, 'model.onnx_data'), Buffer.concat(data));
  },

  'inputs and outputs in another order': (graph) => {
    graph.input.reverse();
    graph.output.reverse();
  },

  'caches without a number': (graph) => {
    for (const { name } of [...graph.output]) {
      const letter = /present\.(\d)\./.exec(name)?.[1];
      if (letter) rename(graph, name, name.replace(letter, 'abcd'[Number(letter)]));
    }
  },
};

export function setInt(node: NodeProto, name: string, value: number): void {
  node.attribute = node.attribute.filter((attribute) => attribute.name !== name);
  node.attribute.push(
    create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) }),
  );
}

export function setFloat(node: NodeProto, name: string, value: number): void {
  node.attribute = node.attribute.filter((attribute) => attribute.name !== name);
  node.attribute.push(create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value }));
}

/** Adds a node just before another; returns its output. */
function insert(
  graph: GraphProto,
  before: NodeProto,
  opType: string,
  input: string[],
  output: string,
  domain = '',
): NodeProto {
  const node = create(NodeProtoSchema, {
    name: `${output}_node`,
    opType,
    input,
    output: [output],
    domain,
  });
  graph.node.splice(graph.node.indexOf(before), 0, node);
  return node;
}

function replaceInput(node: NodeProto, from: string, to: string): void {
  node.input = node.input.map((name) => (name === from ? to : name));
}

function rename(graph: GraphProto, from: string, to: string): void {
  for (const node of graph.node)
    node.output = node.output.map((name) => (name === from ? to : name));
  for (const info of graph.output) if (info.name === from) info.name = to;
}

function positions(): ValueInfoProto {
  const dim = ['batch_size', 'sequence_length'].map((value) => ({
    value: { case: 'dimParam' as const, value },
  }));
  const value = { elemType: DataType.INT64, shape: { dim } };
  return create(ValueInfoProtoSchema, {
    name: 'position_ids',
    type: { value: { case: 'tensorType', value } },
  });
}

function rotateBefore(graph: GraphProto, node: NodeProto, index: number): string {
  const input = node.input[index];
  const inputs = [input, 'position_ids', 'cos_cache', 'sin_cache'];
  insert(graph, node, 'RotaryEmbedding', inputs, `${input}_rotated`, 'com.microsoft');
  return `${input}_rotated`;
}

/** One product with the weights side by side, in place of three. */
function pack(graph: GraphProto, node: NodeProto): void {
  const products = node.input
    .slice(0, 3)
    .map((name) => graph.node.find(({ output }) => output[0] === name)!);
  const weights = products.map(({ input }) => constant(graph, input[1]));
  const { rows } = weights[0];
  const name = `${node.name}/packed`;
  const columns = weights.map(({ values }) => values.length / rows);
  const width = columns.reduce((a, b) => a + b);
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let at = row * width;
    weights.forEach((weight, i) => {
      values.set(weight.values.subarray(row * columns[i], (row + 1) * columns[i]), at);
      at += columns[i];
    });
  }
  graph.initializer.push(floatTensor(`${name}.weight`, [rows, width], values));
  const input = [products[0].input[0], `${name}.weight`];
  insert(graph, node, 'MatMul', input, name);
  node.input.splice(0, 3, name, '', '');
}

/** Casts around the node; its cache is f16 as well. */
function halve(graph: GraphProto, node: NodeProto): void {
  const cast = (before: NodeProto, input: string, output: string, to: DataType) =>
    setInt(insert(graph, before, 'Cast', [input], output), 'to', to);
  for (const index of [0, 1, 2, 7, 8]) {
    const name = node.input[index];
    const half = `${node.name}/${name}_f16`;
    cast(node, name, half, DataType.FLOAT16);
    node.input[index] = half;
  }
  const output = node.output[0];
  node.output[0] = `${output}_f16`;
  const reader = graph.node.find(({ input }) => input.includes(output))!;
  cast(reader, node.output[0], output, DataType.FLOAT);
  const caches = new Set([...node.input.slice(3, 5), ...node.output.slice(1, 3)]);
  for (const { name, type } of [...graph.input, ...graph.output]) {
    if (caches.has(name) && type?.value.case === 'tensorType') {
      type.value.value.elemType = DataType.FLOAT16;
    }
  }
}
