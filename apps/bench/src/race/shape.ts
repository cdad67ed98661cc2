import type { Backend, Tensor } from '@jit-attention/core';

import { mulberry32 } from '../measure/runs.js';

/** The sizes of a call, batch 1. */
export interface Shape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
  readonly tokens: number;
}

/** What everything is timed with unless it says otherwise. */
export const EIGHT_HEADS = { heads: 8, kvHeads: 8, headDim: 64, valueDim: 64 } as const;

export interface Inputs {
  /** `[heads, tokens, headDim]` */
  readonly query: Float32Array;
  /** `[kvHeads, tokens, headDim]` */
  readonly key: Float32Array;
  /** `[kvHeads, tokens, valueDim]` */
  readonly value: Float32Array;
}

/** Numbers in [-1, 1) that repeat. Time does not depend on them, but for what a strategy selects. */
export function noise(length: number, seed: number): Float32Array {
  const random = mulberry32(seed);
  const out = new Float32Array(length);
  for (let i = 0; i < length; i++) out[i] = 2 * random() - 1;
  return out;
}

export function inputsOf({ heads, kvHeads, headDim, valueDim, tokens }: Shape): Inputs {
  return {
    query: noise(heads * tokens * headDim, 1),
    key: noise(kvHeads * tokens * headDim, 2),
    value: noise(kvHeads * tokens * valueDim, 3),
  };
}

/** The inputs on a backend, batch 1. */
export function tensorsOf(
  backend: Backend,
  { heads, kvHeads, headDim, valueDim, tokens }: Shape,
  { query, key, value }: Inputs,
): Record<keyof Inputs, Tensor> {
  const upload = (data: Float32Array, count: number, width: number): Tensor =>
    backend.tensor(data, { shape: [1, count, tokens, width] });
  return {
    query: upload(query, heads, headDim),
    key: upload(key, kvHeads, headDim),
    value: upload(value, kvHeads, valueDim),
  };
}

/** Of a causal prefill, nothing left out: two for each channel, head, and entry that a query sees. */
export function denseFlops({ heads, headDim, valueDim, tokens }: Shape): number {
  return heads * tokens * (tokens + 1) * (headDim + valueDim);
}
