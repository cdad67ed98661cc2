import {
  all,
  type AttentionStrategy,
  defineStrategy,
  fromQuery,
  ranges,
  type Tensor,
} from '@jit-attention/core';

import { assertOneKvHead, compressor } from './compressor.js';

export interface HcaOptions {
  /** Tokens an entry. Default 128. */
  ratio?: number | undefined;
  /** Newest tokens that are read as they are, the query's own included. Default 128. */
  window?: number | undefined;
  /** Weight of the entries' RMSNorm, `[headDim]`. */
  norm: Tensor;
  frequencies: readonly number[];
}

/**
 * DeepSeek-V4's heavily compressed attention: all entries, one for `ratio` tokens, beside a window of raw ones in
 * one softmax. Auxiliary `entryValues` and `entryGates` are the compressor's per-token contents and logits.
 */
export function hca(options: HcaOptions): AttentionStrategy {
  const { ratio = 128, window = 128, norm, frequencies } = options;
  const input = { per: 'key', heads: 1, width: 'headDim' } as const;
  return defineStrategy({
    name: 'hca',
    apiVersion: 1,
    supports: { exact: false, sync: true, bidirectional: false },
    options: { ratio, window },
    requires: { entryValues: input, entryGates: input },
    validate: (layer) => assertOneKvHead('hca', layer, norm),
    index: (site) => ({
      entries: compressor(site, {
        ratio,
        values: 'entryValues',
        gates: 'entryGates',
        norm,
        eps: 1e-6,
        frequencies,
      }),
    }),
    plan: ({ index }) => ({
      branches: [
        { keys: 'cache', selection: ranges([fromQuery(1 - window), fromQuery(1)]) },
        { keys: index.entries.rows, selection: all, visible: fromQuery(1, ratio) },
      ],
    }),
    dead: (length) => [[0, length + 1 - window]],
  });
}
