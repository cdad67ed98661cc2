import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { modelDirectory } from '@jit-attention/reference-model';
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProtoSchema,
  TensorProto_DataType as DataType,
} from 'onnx-buf';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a variant changes in the reference model's graph. */
export type Edit = (graph: GraphProto, directory: string) => void;

const temporary: string[] = [];

/** An empty directory that {@link removeDirectories} removes. */
export function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'jit-attention-'));
  temporary.push(directory);
  return directory;
}

export function removeDirectories(): void {
  for (const directory of temporary.splice(0)) rmSync(directory, { recursive: true });
}

/** The reference model with another graph, as a model directory of its own. */
export function variant(edit: Edit): string {
  const directory = emptyDirectory();
  for (const name of ['config.json', 'tokenizer.json']) {
    cpSync(join(modelDirectory, name), join(directory, name));
  }
  mkdirSync(join(directory, 'onnx'));
  const model = readModel(modelDirectory);
  edit(model.graph!, join(directory, 'onnx'));
  writeFileSync(join(directory, 'onnx', 'model.onnx'), toBinary(ModelProtoSchema, model));
  return directory;
}

export function readModel(directory: string): ModelProto {
  return fromBinary(ModelProtoSchema, readFileSync(join(directory, 'onnx', 'model.onnx')));
}

export function attentionNodes(graph: GraphProto): NodeProto[] {
  return graph.node.filter(({ opType }) => opType === 'GroupQueryAttention');
}

/** An f32 constant of the graph. */
export function constant(graph: GraphProto, name: string): { rows: number; values: Float32Array } {
  const tensor = graph.initializer.find((candidate) => candidate.name === name)!;
  const values = new Float32Array(Uint8Array.from(tensor.rawData).buffer);
  return { rows: Number(tensor.dims[0]), values };
}

export function floatTensor(name: string, dims: number[], values: Float32Array): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: DataType.FLOAT,
    rawData: new Uint8Array(values.buffer as ArrayBuffer),
  });
}
