import { modelDirectory } from '@jit-attention/reference-model';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { readGraph } from '../src/graph/read.js';

const bytes = readFileSync(join(modelDirectory, 'onnx', 'model.onnx'));

/** All bytes that an object holds, however deep. */
function bytesIn(value: unknown, seen: Set<unknown> = new Set()): ArrayBufferView[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  if (ArrayBuffer.isView(value)) return [value];
  return Object.values(value).flatMap((one) => bytesIn(one, seen));
}

test('a graph holds on to nothing of the file that it was read from', () => {
  const { model } = readGraph('model.onnx', bytes);
  const held = bytesIn(model);
  expect(held.length).toBeGreaterThan(0);
  expect(held.filter(({ buffer }) => buffer === bytes.buffer)).toEqual([]);
});

test('small constants are known by their numbers, weights by their sizes', () => {
  const graph = readGraph('model.onnx', bytes);
  expect(graph.constant('/model/attn_mask/axis')).toEqual([1]);
  expect(graph.constant('cos_cache')).toBeUndefined();
  expect(graph.shape('cos_cache')).toEqual([8192, 32]);
  expect(graph.shape('input_ids')).toEqual(['batch_size', 'sequence_length']);
  expect([graph.opset(''), graph.opset('com.microsoft'), graph.opset('ai.onnx.ml')]).toEqual([
    17,
    1,
    undefined,
  ]);
});
