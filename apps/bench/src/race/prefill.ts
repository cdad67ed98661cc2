import type { Tensor } from '@jit-attention/core';

import type { Contender, Runner } from './contender.js';
import { attentionOf, contenderOf, lapOf, backendOf, type Own } from './ours.js';
import { inputsOf } from './shape.js';

/** A causal prefill of the whole context in one call, from tensors that lie on the backend. */
export function prefill(own: Own): Contender {
  return contenderOf(own, own.tokens, () => startPrefill(own));
}

async function startPrefill(own: Own): Promise<Runner> {
  const { heads, kvHeads, headDim, valueDim, tokens } = own;
  const backend = await backendOf(own);
  const attention = attentionOf(own, backend);
  const inputs = inputsOf(own);
  const upload = (data: Float32Array, count: number, width: number): Tensor =>
    backend.tensor(data, { shape: [1, count, tokens, width] });
  const query = upload(inputs.query, heads, headDim);
  const key = upload(inputs.key, kvHeads, headDim);
  const value = upload(inputs.value, kvHeads, valueDim);
  return {
    run: () => lapOf(() => attention.run({ query, key, value })),
    dispose: () => backend.dispose?.(),
  };
}
