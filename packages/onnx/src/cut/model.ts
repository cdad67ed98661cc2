import { create, toBinary } from '@bufbuild/protobuf';
import {
  type ModelProto,
  ModelProtoSchema,
  type OperatorSetIdProto,
  OperatorSetIdProtoSchema,
  type ValueInfoProto,
} from 'onnx-buf';

import type { OnnxGraph } from '../graph.js';
import type { RuntimeValue } from '../runtime.js';
import { DATA_TYPES } from '../graph/types.js';
import type { Piece } from './cut.js';
import { makeValueInfo, MICROSOFT } from './nodes.js';

/** What is known of the values between pieces: as an earlier piece's session declared them. */
export type KnownValues = ReadonlyMap<string, RuntimeValue>;

/** A piece as an ONNX model of its own: a few kilobytes, as its weights are references into the original file. */
export function pieceModel(graph: OnnxGraph, piece: Piece, known: KnownValues): Uint8Array {
  const { graph: whole, ...model } = graph.model;
  const proto: ModelProto = create(ModelProtoSchema, {
    irVersion: model.irVersion,
    opsetImport: withMicrosoft(model.opsetImport),
    functions: model.functions,
    graph: {
      name: whole!.name,
      node: [...piece.nodes],
      initializer: [...piece.initializers],
      input: piece.inputs.map((name) => describe(graph, known, name)),
      // ONNX Runtime finds out types and shapes by itself.
      output: piece.outputs.map((name) => ({ name })),
    },
  });
  return toBinary(ModelProtoSchema, proto);
}

function withMicrosoft(sets: readonly OperatorSetIdProto[]): OperatorSetIdProto[] {
  if (sets.some(({ domain }) => domain === MICROSOFT)) return [...sets];
  return [...sets, create(OperatorSetIdProtoSchema, { domain: MICROSOFT, version: 1n })];
}

function describe(graph: OnnxGraph, known: KnownValues, name: string): ValueInfoProto {
  const value = known.get(name);
  if (!value) return graph.input(name)!;
  const { type = '', shape = [] } = value;
  return makeValueInfo(name, DATA_TYPES[type], shape.map(dimOf));
}

/** Sizes that ONNX Runtime invented names for, or has none for, are unknown. */
function dimOf(size: number | string): number | string | undefined {
  if (typeof size === 'number') return size >= 0 ? size : undefined;
  return size === '' || size.startsWith('unk__') ? undefined : size;
}
