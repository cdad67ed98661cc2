import { modelDirectory, readModelConfig } from '@jit-attention/reference-model';
import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { expect, it } from 'vitest';

import { generateOnnx } from '../generate/generate.js';
import { readSafetensors } from '../generate/safetensors.js';

const config = readModelConfig();

it('is a Hugging Face directory at an absolute path', () => {
  expect(isAbsolute(modelDirectory)).toBe(true);
  expect(readdirSync(modelDirectory, { recursive: true })).toEqual(
    expect.arrayContaining([
      'config.json',
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'model.safetensors',
      join('onnx', 'model.onnx'),
    ]),
  );
});

it('has the configuration that its card states', () => {
  expect(config).toMatchObject({
    model_type: 'llama',
    hidden_size: 256,
    intermediate_size: 640,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 64,
    vocab_size: 2048,
    rope_theta: 100000,
    tie_word_embeddings: true,
    max_position_embeddings: 8192,
  });
});

it('has 3,279,104 parameters, all in f16', () => {
  const tensors = [...readSafetensors(join(modelDirectory, 'model.safetensors')).values()];
  expect(new Set(tensors.map((tensor) => tensor.dtype))).toEqual(new Set(['F16']));
  const parameters = tensors.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  expect(parameters.reduce((a, b) => a + b, 0)).toBe(3_279_104);
});

it('has a tokenizer of as many entries as the embedding has rows', () => {
  const text = readFileSync(join(modelDirectory, 'tokenizer.json'), 'utf8');
  const { model } = JSON.parse(text) as { model: { vocab: Record<string, number> } };
  expect(Object.keys(model.vocab)).toHaveLength(config.vocab_size);
});

it('has an ONNX graph made from exactly these weights by exactly this code', () => {
  const built = readFileSync(join(modelDirectory, 'onnx', 'model.onnx'));
  const fresh = generateOnnx();
  expect(built.equals(fresh), 'stale: run `pnpm generate`').toBe(true);
});
