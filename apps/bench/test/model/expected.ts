import { create, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, ValueInfoProtoSchema } from 'onnx-buf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { join } from 'node:path';

import { toFloat32 } from '../../src/model/floats.js';
import type { AttentionData, LayerData } from '../../src/model/index.js';
import { attentionNodes, readModel } from './graphs.js';

/**
 * What each attention node of a variant gives out, `[tokens, heads * headDim]`, from one run over all
 * tokens: the graph as it is, with these outputs added.
 */
export async function nodeOutputs(directory: string, ids: number[]): Promise<Float32Array[]> {
  const model = readModel(directory);
  const graph = model.graph!;
  const names = attentionNodes(graph).map(({ output }) => output[0]);
  graph.output.push(...names.map((name) => create(ValueInfoProtoSchema, { name })));
  const session = await InferenceSession.create(toBinary(ModelProtoSchema, model), {
    logSeverityLevel: 3,
    extra: {
      session: { model_external_initializers_file_folder_path: join(directory, 'onnx') },
    },
  });
  const feeds: Record<string, Tensor> = {};
  for (const name of session.inputNames) feeds[name] = feed(session, name, ids);
  const outputs = await session.run(feeds, names);
  await session.release();
  return names.map((name) => floats(outputs[name]));
}

function floats({ type, data }: Tensor): Float32Array {
  return toFloat32(type === 'float16' ? 'f16' : 'f32', data as ArrayBufferView);
}

function feed(session: InferenceSession, name: string, ids: number[]): Tensor {
  const row = (values: number[]) =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  if (name === 'input_ids') return row(ids);
  if (name === 'attention_mask') return row(ids.map(() => 1));
  if (name === 'position_ids') return row(ids.map((_, i) => i));
  const metadata = session.inputMetadata.find((input) => input.name === name);
  const half = metadata?.isTensor === true && metadata.type === 'float16';
  const dims = [1, 2, 0, 64];
  return half
    ? new Tensor('float16', new Uint16Array(0), dims)
    : new Tensor('float32', new Float32Array(0), dims);
}

/** Causal softmax attention by the book, in f64: `[tokens, heads * headDim]`. */
export function plainAttention(
  { heads, kvHeads, headDim, valueDim, scale, tokens }: AttentionData['config'],
  { query, key, value }: LayerData,
): Float64Array {
  const out = new Float64Array(tokens * heads * valueDim);
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / (heads / kvHeads));
    for (let token = 0; token < tokens; token++) {
      const q = (head * tokens + token) * headDim;
      const scores: number[] = [];
      for (let entry = 0; entry <= token; entry++) {
        const k = (kvHead * tokens + entry) * headDim;
        let dot = 0;
        for (let i = 0; i < headDim; i++) dot += query[q + i] * key[k + i];
        scores.push(dot * scale);
      }
      const max = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - max));
      const sum = weights.reduce((a, b) => a + b);
      for (let i = 0; i < valueDim; i++) {
        let mean = 0;
        weights.forEach((weight, entry) => {
          mean += weight * value[(kvHead * tokens + entry) * valueDim + i];
        });
        out[(token * heads + head) * valueDim + i] = mean / sum;
      }
    }
  }
  return out;
}

/** The largest difference, relative to the largest value expected. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) {
    throw new Error(`lengths differ: ${actual.length} and ${expected.length}`);
  }
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return worst / largest;
}
