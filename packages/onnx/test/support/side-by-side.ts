import { type AdoptedModel, adopt, type AdoptOptions } from '@jit-attention/onnx';

import {
  type Kind,
  type Sizes,
  type SmallModel,
  type Storage,
  VOCABULARY,
} from './graphs/index.js';
import { Original, type Step, toFloats } from './original.js';

/** f32: sums of a few dozen products in another order, a few units of 2^-24 each, through a few layers. */
const F32 = 1e-4;

/**
 * How far logits may be apart, as a share of the largest; a wrong position, head or mask moves them by tenths.
 *
 * - f16: what lies between two operators is rounded to 2^-11, and not always in the same places.
 * - int8: activations are rounded to 2^-8 of their range; one that lies between two codes may become the other.
 */
const TOLERANCES: Readonly<Record<Storage, number>> = {
  f32: F32,
  external: F32,
  int4: F32,
  f16: 4e-3,
  int8: 1e-2,
};

/**
 * Runs a model adopted and as it was, the same steps in both; an encoder the first of them alone.
 *
 * @returns the largest difference of a logit of a token (padding left out) for each step, in tolerances: at most 1 is
 *   equal
 */
export async function sideBySide(
  kind: Kind,
  sizes: Sizes,
  steps: readonly Step[],
  options: AdoptOptions = {},
): Promise<number[]> {
  const small = kind.write(sizes);
  const original = await Original.load(kind.twin?.(sizes) ?? small);
  const model = await adoptSmall(small, options);
  try {
    const run = kind.causal ? decoderOf(model, steps) : encoderOf(model);
    const differences: number[] = [];
    for (const step of kind.causal ? steps : steps.slice(0, 1))
      differences.push(difference(step, await run(step), await original.step(step)));
    return differences.map((one) => one / TOLERANCES[small.storage]);
  } finally {
    await model.dispose();
    await original.release();
  }
}

/** Without the comparison at adoption, which a test makes itself. */
export function adoptSmall(
  { model, externalData }: SmallModel,
  options: AdoptOptions = {},
): Promise<AdoptedModel> {
  const source = { config: { vocab_size: VOCABULARY }, model, externalData };
  return adopt(source, { verify: false, ...options });
}

type Run = (step: Step) => Promise<Float32Array>;

function decoderOf(model: AdoptedModel, [{ ids }]: readonly Step[]): Run {
  const sequence = model.sequence({ batch: ids.length });
  return async ({ ids, lengths }) => {
    const input_ids = { dims: [ids.length, ids[0].length], data: ids.flat() };
    const outputs = await sequence.step({ input_ids }, { logits: 'all', lengths });
    return toFloats(outputs['logits']);
  };
}

function encoderOf(model: AdoptedModel): Run {
  return async ({ ids, lengths }) => {
    const input_ids = { dims: [ids.length, ids[0].length], data: ids.flat() };
    const { logits } = await model.forward({ input_ids }, { logits: 'all', lengths });
    return logits.data;
  };
}

/** Of the largest logit that counts. */
function difference({ ids, lengths }: Step, ours: Float32Array, theirs: Float32Array): number {
  const tokens = ids[0].length;
  let [largest, furthest] = [0, 0];
  theirs.forEach((logit, i) => {
    const at = Math.floor(i / VOCABULARY);
    if (at % tokens >= (lengths?.[Math.floor(at / tokens)] ?? tokens)) return;
    largest = Math.max(largest, Math.abs(logit));
    furthest = Math.max(furthest, Math.abs(ours[i] - logit));
  });
  return ours.length === theirs.length ? furthest / largest : Infinity;
}
