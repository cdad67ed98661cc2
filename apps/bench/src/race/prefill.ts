import type { Contender, Runner } from './contender.js';
import { attentionOf, backendOf, contenderOf, lapOf, type Own } from './ours.js';
import { inputsOf, tensorsOf } from './shape.js';

/** A causal prefill of the whole context in one call, from tensors that lie on the backend. */
export function prefill(own: Own): Contender {
  return contenderOf(own, own.tokens, () => startPrefill(own));
}

async function startPrefill(own: Own): Promise<Runner> {
  const backend = await backendOf(own);
  const attention = attentionOf(own, backend);
  const tensors = tensorsOf(backend, own, inputsOf(own));
  return {
    run: () => lapOf(() => attention.run(tensors)),
    dispose: () => backend.dispose?.(),
  };
}
