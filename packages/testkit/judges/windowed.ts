import { type AttentionStrategy, fromQuery, ranges } from '@jit-attention/core';

/**
 * The first `sinks` entries and the last `window`, the query's own included (Mistral's window; sinks as in
 * StreamingLLM, arXiv 2309.17453, at their original positions). No index, no tensors.
 */
export function windowed({ window, sinks = 0 }: WindowedOptions): AttentionStrategy {
  return {
    name: 'windowed',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: false },
    options: { window, sinks },
    plan: () => ({
      branches: [
        {
          keys: 'cache',
          selection: ranges([0, sinks], [fromQuery(1 - window), fromQuery(1)]),
        },
      ],
    }),
    dead: (length) => [[sinks, length + 1 - window]],
  };
}

export interface WindowedOptions {
  /** Entries, the query's own included; at least 1. */
  window: number;
  /** Default 0. */
  sinks?: number;
}
