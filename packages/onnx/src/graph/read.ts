import { fromBinary } from '@bufbuild/protobuf';
import { ModelError } from '@jit-attention/core';
import { type GraphProto, type ModelProto, ModelProtoSchema, type TensorProto } from 'onnx-buf';

import { OnnxGraph } from '../graph.js';
import { constantsToInitializers } from './constants.js';
import { referTo } from './external.js';

/** Weights below this many bytes stay in the graph: ONNX Runtime wants to see shapes and axes, and we scales. */
const SMALL = 1024;

/**
 * Reads an ONNX model. Its larger weights become external data at their place in that same file, so that a piece of
 * the graph can refer to them and copies none.
 *
 * @param file the file's name, relative to the folder that external data are relative to
 * @throws {ModelError} `MODEL_INVALID`
 */
export function readGraph(file: string, bytes: Uint8Array): OnnxGraph {
  const model = parse(file, bytes);
  if (!model.graph || model.graph.node.length === 0) throw invalid(file, 'has no graph');
  constantsToInitializers(model.graph);
  for (const tensor of model.graph.initializer) refer(tensor, file, bytes);
  detach(model.graph);
  return new OnnxGraph(file, model);
}

function parse(file: string, bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw invalid(file, 'is not an ONNX model, or is cut short', cause);
  }
}

function invalid(file: string, what: string, cause?: unknown): ModelError {
  return new ModelError(`${file} ${what}`, {
    code: 'MODEL_INVALID',
    expected: 'an ONNX model',
    hint: 'copy the file anew from its repository; a Git LFS pointer is not the file itself',
    cause,
  });
}

/** protobuf gives views of what it reads; should that change, the weight just stays where it is. */
function refer(tensor: TensorProto, file: string, bytes: Uint8Array): void {
  const { rawData } = tensor;
  if (rawData.byteLength < SMALL || rawData.buffer !== bytes.buffer) return;
  const offset = rawData.byteOffset - bytes.byteOffset;
  referTo(tensor, { location: file, offset, length: rawData.byteLength });
}

/** Copies the few bytes that are still views, so that the file itself can be let go (`slice` of a Buffer is one more). */
function detach(graph: GraphProto): void {
  graph.initializer.forEach(detachTensor);
  for (const attribute of graph.node.flatMap((node) => node.attribute)) {
    // set only where there are some: an attribute has one value, and what is set is one
    if (attribute.s.length > 0) attribute.s = Uint8Array.from(attribute.s);
    if (attribute.strings.length > 0)
      attribute.strings = attribute.strings.map((one) => Uint8Array.from(one));
    for (const tensor of [attribute.t, ...attribute.tensors]) if (tensor) detachTensor(tensor);
    for (const inner of [attribute.g, ...attribute.graphs]) if (inner) detach(inner);
  }
}

function detachTensor(tensor: TensorProto): void {
  if (tensor.rawData.length > 0) tensor.rawData = Uint8Array.from(tensor.rawData);
}
