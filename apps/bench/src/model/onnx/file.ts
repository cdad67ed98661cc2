import { create, fromBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation as DataLocation,
} from 'onnx-buf';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { fileError } from '../errors.js';

/** Weights below this size stay in the graph: onnxruntime wants to see shapes and axes. */
const SMALL = 1024;

/** An ONNX model whose large weights are references into files, its own file among them. */
export interface OnnxFile {
  path: string;
  model: ModelProto;
  graph: GraphProto;
}

/**
 * Reads the graph of an ONNX file. Its large weights become external data at their place in that same
 * file, so a changed graph can be run without copying a weight.
 */
export function readOnnx(path: string): OnnxFile {
  const file = readFileSync(path);
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, file);
  } catch (cause) {
    throw fileError(
      `${path} is not an ONNX file`,
      'a Git LFS pointer? Fetch the file itself',
      cause,
    );
  }
  if (!model.graph) throw fileError(`${path} has no graph`, 'copy it anew from its repository');
  for (const tensor of model.graph.initializer) refer(tensor, file, path);
  requireExternalFiles(model.graph, path);
  return { path, model, graph: model.graph };
}

function refer(tensor: TensorProto, file: Buffer, path: string): void {
  const { rawData } = tensor;
  // protobuf gives views of what it reads; should that change, the weight just stays where it is
  if (rawData.byteLength < SMALL || (rawData.buffer as ArrayBufferLike) !== file.buffer) return;
  tensor.dataLocation = DataLocation.EXTERNAL;
  tensor.externalData = [
    entry('location', basename(path)),
    entry('offset', String(rawData.byteOffset - file.byteOffset)),
    entry('length', String(rawData.byteLength)),
  ];
  tensor.rawData = new Uint8Array(0);
}

function entry(key: string, value: string): TensorProto['externalData'][number] {
  return create(StringStringEntryProtoSchema, { key, value });
}

function requireExternalFiles(graph: GraphProto, path: string): void {
  const locations = graph.initializer.flatMap(({ externalData }) =>
    externalData.filter(({ key }) => key === 'location').map(({ value }) => value),
  );
  for (const location of new Set(locations)) {
    const file = join(dirname(path), location);
    if (!existsSync(file)) {
      throw fileError(`${file} is missing`, `${basename(path)} keeps weights there; copy it too`);
    }
  }
}
