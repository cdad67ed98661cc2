import { buildDecoder, type DecoderWeights } from '@jit-attention/onnx-writer';
import { join } from 'node:path';

import { modelDirectory, readModelConfig } from '../src/index.js';
import { transpose, Weights } from './weights.js';

/** The bytes of `model/onnx/model.onnx`, from `config.json` and `model.safetensors`; always the same. */
export function generateOnnx(): Uint8Array {
  const weights = new Weights(join(modelDirectory, 'model.safetensors'));
  return buildDecoder(readModelConfig(), inside(weights), {
    name: 'reference-model',
    producer: '@jit-attention/reference-model',
  });
}

/** All weights lie inside the file: it stays small enough. */
function inside(weights: Weights): DecoderWeights {
  return {
    add(graph, name) {
      const { shape, values } = weights.get(name);
      return graph.constant(name, shape, values);
    },
    addTransposed(graph, name, from) {
      const { shape, values } = transpose(weights.get(from));
      return graph.constant(name, shape, values);
    },
  };
}
