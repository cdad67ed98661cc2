import { assertKnown, assertWhole, inputError } from '@jit-attention/core';

import type { SamplingOptions } from '../model.js';

/** Picks a token id from the logits of one position. */
export type Sampler = (logits: Float32Array) => number;

/**
 * @throws {InputError} `INVALID_OPTION`
 */
export function makeSampler(options: SamplingOptions | undefined): Sampler {
  if (options === undefined) return argmax;
  assertKnown('generate: sampling', options, ['temperature', 'topK', 'topP', 'seed']);
  const { temperature = 1, topK = Infinity, topP = 1, seed = 0 } = options;
  const where = 'generate: sampling';
  if (!(Number.isFinite(temperature) && temperature >= 0))
    throw inputError(where, 'temperature to be a number from 0', temperature);
  if (topK !== Infinity) assertWhole(where, 'topK', topK, { min: 1 });
  if (!(topP > 0 && topP <= 1)) throw inputError(where, 'topP above 0 and up to 1', topP);
  assertWhole(where, 'seed', seed, { min: 0 });
  if (temperature === 0) return argmax;
  const random = mulberry32(seed);
  return (logits) => sample(logits, { temperature, topK, topP }, random());
}

/** The largest; of equal ones the first. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function sample(
  logits: Float32Array,
  { temperature, topK, topP }: { temperature: number; topK: number; topP: number },
  at: number,
): number {
  const largest = logits[argmax(logits)];
  const weights = logits.map((logit) => Math.exp((logit - largest) / temperature));
  const order = Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a] || a - b);
  const kept = nucleus(order.slice(0, Math.min(topK, order.length)), weights, topP);
  let left = at * total(kept, weights);
  for (const id of kept) {
    left -= weights[id];
    if (left < 0) return id;
  }
  return kept.at(-1)!;
}

/** The fewest of the most probable ids that have this share of all of them. */
function nucleus(ids: readonly number[], weights: Float32Array, topP: number): readonly number[] {
  if (topP === 1) return ids;
  let left = topP * total(ids, weights);
  const last = ids.findIndex((id) => (left -= weights[id]) <= 0);
  return last < 0 ? ids : ids.slice(0, last + 1);
}

const total = (ids: readonly number[], weights: Float32Array): number =>
  ids.reduce((sum, id) => sum + weights[id], 0);

/** A 32-bit generator of numbers in [0, 1) (Tommy Ettinger's mulberry32, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
