import {
  type AttentionResult,
  type AttentionStrategy,
  type Backend,
  createAttention,
} from '@jit-attention/core';

import { openBackend } from '../backends.js';
import type { Contender, Facts, Lap } from './contender.js';
import type { Shape } from './shape.js';

/** What one of our own contenders runs. */
export interface Own extends Shape {
  readonly strategy: AttentionStrategy;
  /** Default `cpu`. */
  readonly backend?: 'cpu' | 'reference' | 'webgpu' | undefined;
  /** Default 1. */
  readonly threads?: number | undefined;
  readonly values?: 'own' | 'key' | undefined;
  readonly variant?: string | undefined;
  readonly same?: boolean | undefined;
}

export function attentionOf(own: Own, backend: Backend): ReturnType<typeof createAttention> {
  const { strategy, heads, kvHeads, headDim, valueDim, values } = own;
  return createAttention({ backend, strategy, heads, kvHeads, headDim, valueDim, values });
}

export function factsOf(own: Own, queries: number): Facts {
  const { strategy, backend = 'cpu', threads = 1, tokens, heads, kvHeads, headDim } = own;
  const { budget, window, sinks } = (strategy.options ?? {}) as Record<string, number | undefined>;
  return {
    implementation: 'jit-attention',
    strategy: strategy.name,
    ...{ backend, threads, tokens, queries, heads, kvHeads, headDim },
    budget: budget ?? (window === undefined ? null : window + (sinks ?? 0)),
  };
}

export function backendOf({ backend = 'cpu', threads = 1 }: Own): Promise<Backend> {
  return openBackend(backend, threads);
}

/** Times a call until its output is a `Float32Array`. */
export async function lapOf(call: () => Promise<AttentionResult>): Promise<Lap> {
  const before = performance.now();
  const result = await call();
  const output = await result.output.data();
  const ms = performance.now() - before;
  return {
    ms,
    output: () => Promise.resolve(output),
    counts: () => result.stats(),
    dispose: () => result.dispose(),
  };
}

export function contenderOf(own: Own, queries: number, start: Contender['start']): Contender {
  const { variant, same } = own;
  return { facts: factsOf(own, queries), variant, same, start };
}
