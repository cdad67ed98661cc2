import { env, pipeline, type TextGenerationPipeline } from '@huggingface/transformers';
import { modelDirectory } from '@jit-attention/reference-model';

import {
  adoptTransformers,
  type AdoptTransformersOptions,
  type TransformersHandle,
} from '../../src/index.js';

env.allowRemoteModels = false;

export const PROMPT = 'Call me Ishmael. Some years ago, never mind how long';

/** The reference model as transformers.js loads it. */
export function loadGenerator(): Promise<TextGenerationPipeline> {
  return pipeline('text-generation', modelDirectory, { dtype: 'fp32' });
}

export function adoptReference(
  { model }: TextGenerationPipeline,
  options: Partial<AdoptTransformersOptions> = {},
): Promise<TransformersHandle> {
  return adoptTransformers(model, { source: modelDirectory, ...options });
}

/** Token ids of a tensor of transformers.js, row by row. */
export function rowsOf(tensor: unknown): number[][] {
  return (tensor as { tolist(): bigint[][] }).tolist().map((row) => row.map(Number));
}
