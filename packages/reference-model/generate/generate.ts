import { toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { join } from 'node:path';

import { modelDirectory, readModelConfig } from '../src/index.js';
import { buildDecoder } from './decoder.js';
import { Weights } from './weights.js';

/** The bytes of `model/onnx/model.onnx`, from `config.json` and `model.safetensors`; always the same. */
export function generateOnnx(): Uint8Array {
  const weights = new Weights(join(modelDirectory, 'model.safetensors'));
  return toBinary(ModelProtoSchema, buildDecoder(readModelConfig(), weights));
}
