import type { Feed, Feeds } from '../model.js';
import type { ModelInputs } from '../run/model-inputs.js';
import { sizeOf } from '../run/tensors.js';
import type { RuntimeValue } from '../runtime.js';

/** A prime, so that ids wander over the whole vocabulary. */
const STRIDE = 7919;

/** Something to feed where a model is tried out: made-up ids, or small numbers; the same each time. */
export function trialFeeds(
  inputs: ModelInputs,
  { batch, tokens, from = 0 }: { batch: number; tokens: number; from?: number },
): Feeds {
  const { vocabulary = 1000 } = inputs.site;
  const feedOf = (value: RuntimeValue): Feed => {
    const dims = (value.shape ?? []).map((size, axis) => {
      if (axis === 0) return batch;
      if (axis === inputs.tokenAxis(value.name)) return tokens;
      return typeof size === 'number' && size > 0 ? size : 1;
    });
    const count = sizeOf(dims);
    if (value.type === 'float32')
      return { dims, data: Float32Array.from({ length: count }, (_, i) => Math.sin(from + i)) };
    const isText = value.name === inputs.text;
    const id = (i: number): number => (isText ? ((from + i + 1) * STRIDE) % vocabulary : 0);
    return { dims, data: Array.from({ length: count }, (_, i) => id(i)) };
  };
  const given = inputs.declared.filter(({ name }) => inputs.mustBeGiven(name));
  return Object.fromEntries(given.map((value) => [value.name, feedOf(value)]));
}
