import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as node from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { adopt, type ModelSource, type Runtime } from '../../src/index.js';
import { referTo } from '../../src/graph/external.js';
import { maxDifference } from '../support/compare.js';
import { edited } from '../support/edit.js';
import { textOf } from '../support/text.js';

const file = join(modelDirectory, 'onnx', 'model.onnx');
const config = JSON.parse(readFileSync(join(modelDirectory, 'config.json'), 'utf8')) as object;
const FAR = 3_000_000_000;

let backend: Backend;
let expected: Float32Array;
let directory: string;
beforeAll(async () => {
  backend = await cpu();
  const model = await adopt(modelDirectory, { backend });
  expected = (await model.forward(textOf(20))).logits.data;
  await model.dispose();
  directory = mkdtempSync(join(tmpdir(), 'jit-attention-'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await backend.dispose?.();
});

async function same(source: ModelSource, runtime: Runtime): Promise<void> {
  const model = await adopt(source, { backend, runtime });
  const { logits } = await model.forward(textOf(20));
  await model.dispose();
  expect(maxDifference(logits.data, expected)).toBeLessThan(1e-4);
}

/** The model with all its larger weights in another file, from a byte on; and the weights. */
function apart(from: number): { model: Uint8Array; weights: Uint8Array } {
  const parts: Uint8Array[] = [];
  let length = 0;
  const model = edited(readFileSync(file), ({ graph }) => {
    for (const tensor of graph!.initializer.filter(({ rawData }) => rawData.length > 5000)) {
      // what exporters align to pages may as well not be aligned at all
      const bytes = Uint8Array.from([7, ...tensor.rawData]);
      parts.push(bytes);
      referTo(tensor, {
        location: 'model.onnx_data',
        offset: from + length + 1,
        length: bytes.length - 1,
      });
      length += bytes.length;
    }
  });
  return { model, weights: Buffer.concat(parts) };
}

describe.each<[string, Runtime]>([
  ['onnxruntime-node', node],
  ['onnxruntime-web', web],
])('%s', (_, runtime) => {
  test('a directory by its URL', () => same(pathToFileURL(modelDirectory), runtime));

  test('a model by its path, the configuration apart', () =>
    same({ config: config as never, model: file }, runtime));

  test('bytes', () => same({ config: config as never, model: readFileSync(file) }, runtime));

  test('bytes inside of larger ones', () => {
    const bytes = readFileSync(file);
    const larger = new Uint8Array(bytes.length + 24);
    larger.set(bytes, 8);
    return same({ config: config as never, model: larger.subarray(8, -16) }, runtime);
  });

  test('weights in another file, in bytes', () => {
    const { model, weights } = apart(0);
    const externalData = { 'model.onnx_data': weights };
    return same({ config: config as never, model, externalData }, runtime);
  });
});

test('weights in another file, beyond its first three gigabytes', async () => {
  const { model, weights } = apart(FAR);
  cpSync(join(modelDirectory, 'config.json'), join(directory, 'config.json'));
  mkdirSync(join(directory, 'onnx'));
  writeFileSync(join(directory, 'onnx', 'model.onnx'), model);
  const data = openSync(join(directory, 'onnx', 'model.onnx_data'), 'w');
  writeSync(data, weights, 0, weights.length, FAR);
  closeSync(data);
  await same(directory, node);
});
