import { type PreTrainedModel, Tensor } from '@huggingface/transformers';

import type { At } from './progress.js';

/**
 * The perplexity of a text a token: `exp` of the mean loss. It is read in windows of `context` tokens, each
 * for itself, and all tokens of a window but its first are predicted; a rest is left out.
 */
export async function perplexity(
  model: PreTrainedModel,
  ids: readonly number[],
  context: number,
  at: At,
): Promise<number> {
  const windows = Math.floor(ids.length / context);
  let loss = 0;
  for (let window = 0; window < windows; window++) {
    at(window / windows);
    loss += await windowLoss(model, ids.slice(window * context, (window + 1) * context));
  }
  return Math.exp(loss / (windows * (context - 1)));
}

async function windowLoss(model: PreTrainedModel, ids: readonly number[]): Promise<number> {
  const shape = [1, ids.length];
  const { logits } = (await model({
    input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), shape),
    attention_mask: new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape),
  })) as { logits: Tensor };
  const values = logits.data as Float32Array;
  const vocabulary = logits.dims[2];
  let loss = 0;
  for (let i = 0; i + 1 < ids.length; i++) {
    loss += lossOf(values.subarray(i * vocabulary, (i + 1) * vocabulary), ids[i + 1]);
  }
  return loss;
}

/** `-log softmax(logits)[id]`. */
export function lossOf(logits: Float32Array, id: number): number {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return largest + Math.log(sum) - logits[id];
}
