import { type AdoptedModel, adopt, type ModelFiles } from '@jit-attention/onnx';
import { describe, expect, test } from 'vitest';

import {
  FAMILIES,
  type Kind,
  SIZES,
  type SmallModel,
  VOCABULARY,
} from '../support/graphs/index.js';
import { type Ids, Original, toFloats } from '../support/original.js';

const PROMPT = [
  [1, 2, 3, 4, 5, 6, 7],
  [8, 9, 10, 11, 12, 13, 14],
];
const STEPS: readonly Ids[] = [
  [[15], [16]],
  [[17], [18]],
];

/**
 * Of the largest logit. f32: sums of a few dozen products in another order, a few units of 2^-24 each, through two
 * layers; a wrong position, head or mask differs by tenths. f16: what lies between two operators is rounded to 2^-11,
 * and not always in the same places.
 */
const TOLERANCES = { f32: 1e-4, f16: 4e-3 };

describe.each(Object.entries(FAMILIES))('%s', (_, kinds) => {
  test.each(kinds)('$name', async (kind) => {
    const { type, ours, theirs } = await bothOf(kind, kind.causal ? [PROMPT, ...STEPS] : [PROMPT]);
    ours.forEach((logits, i) =>
      expect(difference(logits, theirs[i])).toBeLessThan(TOLERANCES[type]),
    );
  });
});

async function bothOf(
  kind: Kind,
  steps: readonly Ids[],
): Promise<{ type: 'f32' | 'f16'; ours: Float32Array[]; theirs: Float32Array[] }> {
  const small = kind.write(SIZES);
  const original = await Original.load(kind.twin?.(SIZES) ?? small);
  const model = await adopt(sourceOf(small), { verify: false });
  const theirs: Float32Array[] = [];
  for (const ids of steps) theirs.push(await original.step(ids));
  const ours = kind.causal ? await decode(model, steps) : [await encode(model, steps[0])];
  await model.dispose();
  await original.release();
  return { type: small.type, ours, theirs };
}

const sourceOf = ({ model, externalData }: SmallModel): ModelFiles => ({
  config: { vocab_size: VOCABULARY },
  model,
  externalData,
});

async function decode(model: AdoptedModel, steps: readonly Ids[]): Promise<Float32Array[]> {
  const sequence = model.sequence({ batch: steps[0].length });
  const logits: Float32Array[] = [];
  for (const ids of steps) {
    const dims = [ids.length, ids[0].length];
    const step = await sequence.step({ input_ids: { dims, data: ids.flat() } }, { logits: 'all' });
    logits.push(toFloats(step['logits'] as never));
  }
  sequence.dispose();
  return logits;
}

async function encode(model: AdoptedModel, ids: Ids): Promise<Float32Array> {
  const { logits } = await model.forward(ids, { logits: 'all' });
  return Float32Array.from(logits.data);
}

/** The largest difference, as a share of the largest logit. */
function difference(ours: Float32Array, theirs: Float32Array): number {
  expect(ours.length).toBe(theirs.length);
  const largest = theirs.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return ours.reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[i])), 0) / largest;
}
