import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { fileError } from './errors.js';

/** The fields of `config.json` that are read; all may be absent. */
export interface ModelConfig {
  model_type?: string;
  num_hidden_layers?: number;
  max_position_embeddings?: number;
}

/** A Hugging Face directory with an ONNX decoder. */
export interface ModelDirectory {
  path: string;
  config: ModelConfig;
  /** The ONNX file. */
  onnxFile: string;
}

const WANTED =
  'a Hugging Face directory has config.json, tokenizer.json and onnx/model.onnx (or another onnx/model*.onnx)';

export function openModelDirectory(path: string): ModelDirectory {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw fileError(`${path} is not a directory`, `pass --model <dir>; ${WANTED}`);
  }
  return { path, config: readConfig(path), onnxFile: findOnnx(path) };
}

/** Reads a JSON file of the directory. */
export function readJson(directory: string, name: string): unknown {
  const path = join(directory, name);
  if (!existsSync(path)) throw fileError(`${path} is missing`, WANTED);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw fileError(`${path} is not valid JSON`, 'copy it anew from the model repository', cause);
  }
}

/** Multimodal models keep the decoder's part under `text_config`. */
function readConfig(directory: string): ModelConfig {
  const config = readJson(directory, 'config.json') as ModelConfig & { text_config?: ModelConfig };
  return { ...config, ...config.text_config };
}

/** `model.onnx` where there is one; else the most exact of its variants. */
function findOnnx(directory: string): string {
  const found = ['onnx', '.'].flatMap((folder) =>
    listOnnx(join(directory, folder)).map((name) => join(directory, folder, name)),
  );
  if (found.length > 0) return found[0];
  throw fileError(
    `${directory} has no onnx/model*.onnx`,
    'take a repository that has one, or export the model with the builder of onnxruntime-genai',
  );
}

function listOnnx(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /^(decoder_)?model.*\.onnx$/.test(name));
  return names.sort((a, b) => loss(a) - loss(b) || (a < b ? -1 : 1));
}

/** Ranks variants by what their name says is lost: nothing, half precision, quantised. */
function loss(name: string): number {
  if (/model(_merged)?\.onnx$/.test(name)) return 0;
  return name.includes('fp16') ? 1 : 2;
}
