import {
  assertKnown,
  assertWhole,
  type AttentionStrategy,
  fromQuery,
  type Interval,
  type Plan,
  ranges,
} from '@jit-attention/core';

/** Options of {@link windowed}, in entries. */
export interface WindowedOptions {
  /** The most recent entries a query reads, its own included; at least 1. Not causal: to both sides. */
  readonly window: number;
  /**
   * The first entries of the sequence, which every query reads as well. Default 4. Give 0 for a model that was
   * trained with a plain sliding window.
   */
  readonly sinks?: number | undefined;
}

/**
 * Sliding-window attention with sinks: a query at `p` reads `[0, sinks) ∪ (p - window, p]`. Where attention is not
 * causal the window is symmetric, `(p - window, p + window)`.
 *
 * Pure arithmetic on positions: no index, no scores, at most `window + sinks` entries a query however long the
 * context. In a decoder the entries between sinks and window are dead, and their pages are freed: memory stays flat.
 *
 * The window is Mistral's (arXiv 2310.06825), the sinks are StreamingLLM's (arXiv 2309.17453). Unlike the latter,
 * keys keep the rotation of their original positions: the same entries are read, at other relative distances.
 *
 * @throws {InputError} `INVALID_OPTION` for unknown options, a window below 1, sinks below 0, and fractions
 */
export function windowed(options: WindowedOptions): AttentionStrategy {
  assertKnown('windowed', options, ['window', 'sinks']);
  const { window, sinks = 4 } = options;
  assertWhole('windowed', 'window', window, { min: 1 });
  assertWhole('windowed', 'sinks', sinks, { min: 0 });
  const causal = read([0, sinks], [fromQuery(1 - window), fromQuery(1)]);
  const symmetric = read([0, sinks], [fromQuery(1 - window), fromQuery(window)]);

  return {
    name: 'windowed',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: true },
    options: { ...options },
    plan: ({ visible }) => (visible === undefined ? symmetric : causal),
    // A query at `length` reads from `length + 1 - window` on.
    dead: (length) => [[sinks, length + 1 - window]],
  };
}

function read(...intervals: Interval[]): Plan {
  return { branches: [{ keys: 'cache', selection: ranges(...intervals) }] };
}
