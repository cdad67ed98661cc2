import { fileURLToPath } from 'node:url';

/**
 * Absolute path of the model: a Hugging Face directory with `config.json`, `generation_config.json`,
 * `tokenizer.json`, `tokenizer_config.json`, `model.safetensors` and `onnx/model.onnx`.
 *
 * Node only (a browser fetches the files instead: `@jit-attention/reference-model/model/…`).
 * In the workspace `onnx/model.onnx` is there after `pnpm generate`; in the published package it always is.
 */
export const modelDirectory: string = fileURLToPath(new URL('../model', import.meta.url));
