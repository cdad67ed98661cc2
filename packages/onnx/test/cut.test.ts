import { modelDirectory } from '@jit-attention/reference-model';
import { fromBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { ModelProtoSchema } from 'onnx-buf';
import { describe, expect, test } from 'vitest';

import { cutGraph, type Piece } from '../src/cut/cut.js';
import { pieceModel } from '../src/cut/model.js';
import { placeOf } from '../src/cut/places.js';
import { assertTaken, findSites } from '../src/find-sites.js';
import { externalDataOf } from '../src/graph/external.js';
import { loadModel } from '../src/load/load.js';

describe('the reference model, cut', () => {
  const { graph } = loadModel(modelDirectory, ort);
  const places = findSites(graph).map((found) => placeOf(assertTaken(graph, found), 17));
  const pieces = cutGraph(graph, places, ['logits']);

  test('has a piece more than attentions, and each node once', () => {
    expect(pieces.length).toBe(5);
    expect(pieces.map((piece) => piece.places.length)).toEqual([1, 1, 1, 1, 0]);
    const nodes = pieces.flatMap((piece) => piece.nodes);
    expect(new Set(nodes).size).toBe(nodes.length);
    expect(nodes.some(({ opType }) => opType === 'GroupQueryAttention')).toBe(false);
  });

  test('lets go what attention alone needed: caches, and lengths made of the mask', () => {
    const inputs = new Set(pieces.flatMap((piece) => piece.inputs));
    const given = [...inputs].filter((name) => graph.input(name));
    expect(given).toEqual(['input_ids']);
    const outputs = pieces.flatMap((piece) => piece.outputs);
    expect(outputs.some((name) => name.startsWith('present'))).toBe(false);
  });

  test('hands on the residual stream and what attention takes, and nothing else', () => {
    for (const {
      outputs,
      places: [place],
    } of pieces.slice(0, -1)) {
      expect(outputs.length).toBe(4);
      expect(outputs).toEqual(expect.arrayContaining([place.query, place.key, place.value]));
    }
    expect(pieces.at(-1)!.outputs).toEqual(['logits']);
  });

  test('refers to weights where they lie, and copies none', () => {
    const known = new Map(
      pieces
        .flatMap(({ inputs }) => inputs)
        .filter((name) => !graph.input(name))
        .map((name) => [name, { name, isTensor: true, type: 'float32', shape: [] }]),
    );
    for (const piece of pieces) {
      const bytes = pieceModel(graph, piece, known);
      expect(bytes.length).toBeLessThan(8000);
      for (const tensor of fromBinary(ModelProtoSchema, bytes).graph!.initializer) {
        if (tensor.rawData.length > 0) continue;
        const { location, offset, length } = externalDataOf(tensor);
        expect(location).toBe('model.onnx');
        expect(offset + length!).toBeLessThan(17_400_000);
      }
    }
  });

  test('is one piece where nothing is taken out of it', () => {
    const whole: Piece[] = cutGraph(graph, [], ['logits']);
    expect(whole.length).toBe(1);
    expect(whole[0].nodes.length).toBe(graph.nodes.length);
  });
});
