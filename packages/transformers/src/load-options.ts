import { inputError } from '@jit-attention/core';
import type { AdoptOptions, ModelSource, RuntimeSessionOptions } from '@jit-attention/onnx';

import type { Place } from './loaded-model.js';

/** What transformers.js calls the file of a dtype: `onnx/model_q4.onnx`. */
const SUFFIXES: Readonly<Record<string, string>> = {
  fp32: '',
  fp16: '_fp16',
  int8: '_int8',
  uint8: '_uint8',
  q8: '_quantized',
  q4: '_q4',
  q4f16: '_q4f16',
  q2: '_q2',
  q2f16: '_q2f16',
  q1: '_q1',
  q1f16: '_q1f16',
  bnb4: '_bnb4',
};

/** Devices that are one execution provider of the same name. */
const PROVIDERS = ['cpu', 'wasm', 'webgpu', 'cuda', 'dml', 'coreml'];

/** The file of a directory that transformers.js has loaded; undefined where the source is no directory. */
export function fileOf({ name, session }: Place, source: ModelSource): string | undefined {
  const suffix = SUFFIXES[session.config?.dtype ?? 'fp32'];
  const isDirectory = typeof source === 'string' || source instanceof URL;
  return isDirectory && suffix !== undefined ? `onnx/${name}${suffix}.onnx` : undefined;
}

/**
 * Those of the options, else that of the model's device.
 *
 * @throws {InputError} `UNSUPPORTED` for a device that stands for several
 */
export function providersOf(
  { session }: Place,
  options: AdoptOptions,
): NonNullable<RuntimeSessionOptions['executionProviders']> {
  if (options.session?.executionProviders) return options.session.executionProviders;
  const device = session.config?.device ?? 'cpu';
  if (PROVIDERS.includes(device)) return [device];
  throw inputError('adoptTransformers', `a model on ${PROVIDERS.join(', ')}`, device, {
    code: 'UNSUPPORTED',
    hint: 'say which execution providers ONNX Runtime is to use: session: { executionProviders: […] }',
  });
}
