import { type GraphProto, TensorProto_DataType as DataType, type ValueInfoProto } from 'onnx-buf';
import { Tensor } from 'onnxruntime-node';

import { unsupported } from '../errors.js';
import type { AttentionNode } from './attention-nodes.js';
import type { OnnxFile } from './file.js';

/** Some tokens of the sequence, the first of them at position `from`. */
export interface Step {
  ids: number[];
  from: number;
}

/** Makes the value of one graph input; one sequence, nothing padded. */
type Filler = (step: Step) => Tensor;

/**
 * How to fill every input of a decoder but its past keys and values.
 *
 * @throws `UNSUPPORTED` for an input of unknown meaning
 */
export function fillers(file: OnnxFile, nodes: AttentionNode[]): Map<string, Filler> {
  const past = new Set(nodes.flatMap((node) => [node.pastKey, node.pastValue]));
  const infos = givenInputs(file.graph).filter(({ name }) => !past.has(name));
  return new Map(infos.map((info) => [info.name, filler(file, info)]));
}

/**
 * Past keys and values of no tokens, by the names of the graph's inputs.
 *
 * @throws `UNSUPPORTED` if a node's past does not come from an input of fixed head size
 */
export function emptyPast(file: OnnxFile, nodes: AttentionNode[]): Record<string, Tensor> {
  const infos = new Map(givenInputs(file.graph).map((info) => [info.name, info]));
  const past: Record<string, Tensor> = {};
  for (const node of nodes) {
    for (const name of [node.pastKey, node.pastValue].filter((given) => given !== '')) {
      past[name] = emptyCache(file, node, infos.get(name));
    }
  }
  return past;
}

function filler(file: OnnxFile, info: ValueInfoProto): Filler {
  const rank = shape(info).length;
  const integers = (values: number[]) => integerTensor(info, values);
  if (rank === 2) {
    if (info.name === 'input_ids') return ({ ids }) => integers(ids);
    if (info.name === 'attention_mask')
      return ({ ids, from }) => integers(new Array<number>(from + ids.length).fill(1));
    if (info.name === 'position_ids')
      return ({ ids, from }) => integers(ids.map((_, i) => from + i));
  }
  throw unsupported(
    `${file.path}: cannot fill input '${info.name}' of rank ${rank} (known: input_ids, attention_mask, position_ids of rank 2, past keys and values)`,
  );
}

/** Old graphs list their weights among the inputs. */
function givenInputs(graph: GraphProto): ValueInfoProto[] {
  const weights = new Set(graph.initializer.map(({ name }) => name));
  return graph.input.filter(({ name }) => !weights.has(name));
}

function emptyCache(file: OnnxFile, node: AttentionNode, info?: ValueInfoProto): Tensor {
  const headDim = info && shape(info)[3];
  if (!headDim) {
    throw unsupported(
      `${file.path}: node '${node.name}' does not take its past from an input of fixed head size`,
    );
  }
  const dims = [1, node.kvHeads, 0, headDim];
  switch (elementType(info)) {
    case DataType.FLOAT:
      return new Tensor('float32', new Float32Array(0), dims);
    case DataType.FLOAT16:
      return new Tensor('float16', new Uint16Array(0), dims);
    default:
      throw unsupported(
        `${file.path}: input '${info.name}' has type ${DataType[elementType(info)]}, expected FLOAT or FLOAT16`,
      );
  }
}

function integerTensor(info: ValueInfoProto, values: number[]): Tensor {
  const dims = [1, values.length];
  return elementType(info) === DataType.INT32
    ? new Tensor('int32', Int32Array.from(values), dims)
    : new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

function elementType(info: ValueInfoProto): DataType {
  const type = info.type?.value;
  return type?.case === 'tensorType' ? type.value.elemType : DataType.UNDEFINED;
}

/** Declared sizes; `undefined` for a symbolic one. */
function shape(info: ValueInfoProto): (number | undefined)[] {
  const type = info.type?.value;
  const dims = type?.case === 'tensorType' ? (type.value.shape?.dim ?? []) : [];
  return dims.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : undefined));
}
