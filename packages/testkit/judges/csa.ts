import {
  type AttentionStrategy,
  defineStrategy,
  fromQuery,
  ranges,
  type Tensor,
  topk,
} from '@jit-attention/core';

import { assertOneKvHead, compressor } from './compressor.js';
import { indexerInputs, indexerScore } from './lightning.js';

export interface CsaOptions {
  /** Tokens an entry; each takes the group before its own in as well. Default 4. */
  ratio?: number | undefined;
  /** Newest tokens that are read as they are, the query's own included. Default 128. */
  window?: number | undefined;
  /** Entries a query reads besides its window. */
  budget: number;
  indexHeads: number;
  /** Weights of the RMSNorms of entries `[headDim]` and of index keys `[index width]`. */
  norm: Tensor;
  indexNorm: Tensor;
  frequencies: readonly number[];
  /** How index keys are kept. Default `'f32'`. */
  indexDtype?: 'f32' | 'i8' | undefined;
}

/**
 * DeepSeek-V4's compressed sparse attention: overlapping entries, of which an indexer picks the best for all heads,
 * beside a window of raw tokens in one softmax. Index keys are made as entries are, from inputs of their own.
 */
export function csa(options: CsaOptions): AttentionStrategy {
  const { ratio = 4, window = 128, budget, indexHeads, norm, indexNorm, indexDtype } = options;
  const [width, indexWidth] = [norm.shape[0], indexNorm.shape[0]];
  const shared = { ratio, overlapping: true, eps: 1e-6, frequencies: options.frequencies };
  const input = (width: number) => ({ per: 'key', heads: 1, width: 2 * width }) as const;
  return defineStrategy({
    name: 'csa',
    apiVersion: 1,
    supports: { exact: false, sync: true, bidirectional: false },
    options: { ratio, window, budget },
    requires: {
      entryValues: input(width),
      entryGates: input(width),
      indexValues: input(indexWidth),
      indexGates: input(indexWidth),
      ...indexerInputs(indexHeads, indexWidth),
    },
    validate: (layer) => assertOneKvHead('csa', layer, norm),
    index: (site) => ({
      entries: compressor(site, { ...shared, values: 'entryValues', gates: 'entryGates', norm }),
      keys: compressor(site, {
        ...shared,
        values: 'indexValues',
        gates: 'indexGates',
        norm: indexNorm,
        dtype: indexDtype,
      }),
    }),
    plan({ aux, index, ops }) {
      const visible = fromQuery(1, ratio);
      const score = indexerScore(aux, index.keys.rows);
      const selection = ops.select({ score, visible, pick: topk(budget) });
      return {
        branches: [
          { keys: 'cache', selection: ranges([fromQuery(1 - window), fromQuery(1)]) },
          { keys: index.entries.rows, selection, visible },
        ],
      };
    },
    dead: (length) => [[0, length + 1 - window]],
  });
}
