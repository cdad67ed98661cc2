import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { convert } from '../src/convert.js';
import type { WeightType } from '../src/weight-file.js';
import { Decoder } from './support/decoder.js';
import { folder } from './support/folder.js';
import { straightLogits } from './support/straight.js';
import { METADATA, tinyTensors, TOKENS } from './support/tiny-llama.js';
import { writeGguf } from './support/write-gguf.js';

const IDS = [0, 73, 103, 258, 5, 260, 99, 99, 2, 40, 257, 11];

async function converted(tied: boolean, dtype: WeightType = 'fp32'): Promise<string> {
  const path = folder();
  writeGguf(join(path, 'tiny.gguf'), METADATA, tinyTensors({ tied }));
  await convert(join(path, 'tiny.gguf'), join(path, 'model'), { dtype, show: 'silent' });
  return join(path, 'model');
}

async function withDecoder(path: string, use: (decoder: Decoder) => Promise<void>): Promise<void> {
  const decoder = await Decoder.load(path);
  try {
    await use(decoder);
  } finally {
    await decoder.release();
  }
}

function maxDifference(a: readonly number[][], b: readonly number[][]): number {
  expect(a.map((row) => row.length)).toEqual(b.map((row) => row.length));
  return Math.max(...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - b[i][j]))));
}

describe('logits of a tiny Llama, against plain f64 on the tensors as they lie in the file', () => {
  // logits reach 20 or so
  it.each([
    { tied: true, dtype: 'fp32', file: 'model.onnx' },
    { tied: false, dtype: 'fp32', file: 'model.onnx' },
    { tied: false, dtype: 'fp16', file: 'model_fp16.onnx' }, // its values are f16 exactly
  ] as const)('tied $tied, $dtype', async ({ tied, dtype, file }) => {
    const model = await converted(tied, dtype);
    await withDecoder(join(model, 'onnx', file), async (decoder) => {
      const { logits } = await decoder.run(IDS);
      expect(maxDifference(logits, straightLogits(tinyTensors({ tied }), IDS))).toBeLessThan(1e-4);
    });
  });

  it('in two steps, the last row alone', async () => {
    const model = await converted(true);
    await withDecoder(join(model, 'onnx', 'model.onnx'), async (decoder) => {
      const { past } = await decoder.run(IDS.slice(0, 7), { keep: 1 });
      const { logits } = await decoder.run(IDS.slice(7), { past, keep: 1 });
      const expected = straightLogits(tinyTensors({ tied: true }), IDS).slice(-1);
      expect(maxDifference(logits, expected)).toBeLessThan(1e-4);
    });
  });
});

it('writes a Hugging Face directory, and nothing beside it', async () => {
  const model = await converted(true);
  expect(readdirSync(join(model, '..')).sort()).toEqual(['model', 'tiny.gguf']);
  expect(readdirSync(model, { recursive: true }).sort()).toEqual([
    'config.json',
    'generation_config.json',
    'onnx',
    join('onnx', 'model.onnx'),
    join('onnx', 'model.onnx_data'),
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const read = (name: string): unknown => JSON.parse(readFileSync(join(model, name), 'utf8'));
  expect(read('generation_config.json')).toEqual({ bos_token_id: 0, eos_token_id: 1 });
  expect(read('config.json')).toMatchObject({
    model_type: 'llama',
    vocab_size: TOKENS.length,
    num_key_value_heads: 2,
    head_dim: 16,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    'transformers.js_config': { use_external_data_format: { 'model.onnx': 1 } },
  });
});

it('fills an empty directory, and refuses another', async () => {
  const model = await converted(true);
  const source = join(model, '..', 'tiny.gguf');
  const again = convert(source, model, { show: 'silent' });
  await expect(again).rejects.toThrow(/model is not empty/);
  const empty = folder();
  await convert(source, empty, { show: 'silent' });
  expect(existsSync(join(empty, 'config.json'))).toBe(true);
});
