import type { AttentionStrategy, AuxSpec, Tensor } from '@jit-attention/core';
import { defineStrategy, fromQuery, topk } from '@jit-attention/core';

import { assertOneKvHead, compressor } from './compressor.js';
import { csa2Base, type Csa2Layer, handed, readEntries } from './csa2-reuse.js';
import { indexerInputs, indexerScore } from './lightning.js';

export interface Csa2Options extends Csa2Layer {
  /** Weight of the entries' RMSNorm, `[headDim]`. */
  norm: Tensor;
  /** From normed, unrotated entries to index keys, `[indexWidth, headDim]`, and the weight of their RMSNorm. */
  projection: Tensor;
  indexNorm: Tensor;
  /** Rope of entries and index keys: trailing channels, interleaved pairs, at an entry's first token. */
  frequencies: readonly number[];
  /** Blocks of `size` entries that later layers select inside, the newest always. Default: any entry. */
  candidates?: { blocks: number; size: number } | undefined;
}

/**
 * A full layer of DeepSeek-V4.1: compressed entries, of which an indexer picks the best for all heads, beside a
 * window of raw tokens in one softmax. Its plan hands entries, index keys and selections on to later layers.
 *
 * Auxiliary `entryValues` and, from ratio 2 on, `entryGates` are the compressor's per-token contents and logits.
 */
export function csa2(options: Csa2Options): AttentionStrategy {
  const { ratio, budget, norm, projection, indexNorm, frequencies, candidates } = options;
  const input: AuxSpec = { per: 'key', heads: 1, width: 'headDim' };
  const gates = ratio > 1 ? 'entryGates' : undefined;
  const shared = { ratio, values: 'entryValues', gates, norm, eps: 1e-20, frequencies };
  const visible = fromQuery(1, ratio);
  return defineStrategy({
    ...csa2Base('csa2', options),
    requires: {
      entryValues: input,
      ...(gates && { [gates]: input }),
      ...indexerInputs(options.indexHeads, options.indexWidth),
    },
    validate: (layer) => assertOneKvHead('csa2', layer, norm),
    index: (site) => ({
      compressed: compressor(site, shared),
      indexKeys: compressor(site, { ...shared, project: { weight: projection, norm: indexNorm } }),
    }),
    plan({ index, aux, ops }) {
      const entries = { compressed: index.compressed.rows, indexKeys: index.indexKeys.rows };
      const score = indexerScore(aux, entries.indexKeys);
      const chosen = ops.select({ score, visible, pick: topk(budget) });
      if (!candidates) return readEntries({ entries, selections: { chosen } }, options);
      const inside = ops.select({
        score,
        visible,
        pool: { stride: candidates.size, weights: 'max' },
        block: candidates.size,
        always: [[fromQuery(1 - ratio, ratio), visible]],
        pick: topk(candidates.blocks),
      });
      return readEntries({ entries, selections: { chosen, candidates: inside } }, options);
    },
  });
}

/** A later layer that selects anew among the candidates: the same index keys, queries of its own. */
export function csa2Reindex(layer: Csa2Layer): AttentionStrategy {
  return {
    ...csa2Base('csa2-reindex', layer),
    requires: indexerInputs(layer.indexHeads, layer.indexWidth),
    plan(step) {
      const { entries, selections } = handed(step);
      const score = indexerScore(step.aux, entries.indexKeys);
      const chosen = step.ops.select({
        score,
        visible: fromQuery(1, layer.ratio),
        within: selections.candidates,
        pick: topk(layer.budget),
      });
      return readEntries({ entries, selections: { ...selections, chosen } }, layer);
    },
  };
}
