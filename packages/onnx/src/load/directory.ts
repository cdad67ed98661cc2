import { InputError, ModelError } from '@jit-attention/core';

import type { ModelFiles } from '../source.js';
import type { NodeModules } from './node.js';

const WANTED =
  'a Hugging Face directory has config.json and onnx/model.onnx (or another onnx/model*.onnx)';

/**
 * The files of a Hugging Face directory; the model by its path.
 *
 * @throws {InputError} `MISSING_INPUT` @throws {ModelError} `MODEL_INVALID`
 */
export function readDirectory(node: NodeModules, directory: string, file?: string): ModelFiles {
  const { fs, path } = node;
  if (!fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    throw missing(`${directory} is not a directory`);
  const model = file === undefined ? findModel(node, directory) : path.join(directory, file);
  if (!fs.existsSync(model)) throw missing(`${model} is missing`);
  const config = readJson(node, path.join(directory, 'config.json'));
  if (!config) throw missing(`${path.join(directory, 'config.json')} is missing`);
  const generationConfig = readJson(node, path.join(directory, 'generation_config.json'));
  return { config, generationConfig, model };
}

/** Undefined where there is no such file. */
function readJson({ fs }: NodeModules, path: string): Record<string, unknown> | undefined {
  if (!fs.existsSync(path)) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(fs.readFileSync(path))) as Record<string, unknown>;
  } catch (cause) {
    throw new ModelError(`${path} is not valid JSON`, {
      code: 'MODEL_INVALID',
      hint: 'copy it anew from the repository of the model',
      cause,
    });
  }
}

/** `model.onnx` where there is one; else the most exact of its variants. */
function findModel({ fs, path }: NodeModules, directory: string): string {
  for (const folder of [path.join(directory, 'onnx'), directory]) {
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    const models = names.filter((name) => /^(decoder_)?model.*\.onnx$/.test(name));
    const [best] = models.sort((a, b) => loss(a) - loss(b) || (a < b ? -1 : 1));
    if (best !== undefined) return path.join(folder, best);
  }
  throw missing(`${directory} has no onnx/model*.onnx`);
}

/** Ranks variants by what their name says is lost: nothing, half precision, quantised. */
function loss(name: string): number {
  if (/model(_merged)?\.onnx$/.test(name)) return 0;
  return name.includes('fp16') ? 1 : 2;
}

export function missing(message: string): InputError {
  return new InputError(message, { code: 'MISSING_INPUT', hint: WANTED });
}
