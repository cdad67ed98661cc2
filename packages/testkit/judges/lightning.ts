import {
  type AttentionStrategy,
  type AuxSpec,
  defineStrategy,
  type Entries,
  type ReluWeightedScore,
  series,
  type Tensor,
  topk,
} from '@jit-attention/core';

export interface LightningOptions {
  /** Heads of the indexer, Hi. */
  indexHeads: number;
  /** Channels of index queries and keys, Di; a power of two when quantised. */
  indexWidth: number;
  /** Tokens a query reads; nothing is forced, not even its own. */
  budget: number;
  /** Keep index keys as int8 and score with int8 queries. Default false. */
  quantised?: boolean | undefined;
}

/**
 * DeepSeek-V3.2's sparse attention: a small indexer scores every token by `Σ_j w_j ReLU(Di^-0.5 qI_j · kI)`, and
 * all heads read the same best ones. Index queries and keys arrive normed and rotated.
 */
export function lightning(options: LightningOptions): AttentionStrategy {
  const { indexHeads, indexWidth: width, budget, quantised = false } = options;
  return defineStrategy({
    name: 'lightning',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: false },
    options: { ...options },
    requires: {
      ...indexerInputs(indexHeads, width),
      indexerKey: { per: 'key', heads: 1, width },
    },
    // A Hadamard transform of both sides leaves dot products as they are, and no channel sticks out any more.
    index: (site) => ({
      keys: series(site, {
        input: 'indexerKey',
        ...(quantised && { dtype: 'i8', make: (rows, { ops }) => ops.hadamard(rows) }),
      }),
    }),
    plan({ aux, index, ops }) {
      const indexerQuery = quantised
        ? ops.quantise(ops.hadamard(aux.indexerQuery), { bits: 8, range: 'absmax' })
        : aux.indexerQuery;
      const score = indexerScore({ ...aux, indexerQuery }, index.keys.rows);
      const selection = ops.select({ score, pick: topk(budget) });
      return { branches: [{ keys: 'cache', selection }] };
    },
  });
}

/** What an indexer asks of each query. */
export function indexerInputs(heads: number, width: number): Record<string, AuxSpec> {
  return {
    indexerQuery: { per: 'query', heads, width },
    indexerWeights: { per: 'query', heads, width: 1 },
  };
}

export function indexerScore(
  { indexerQuery: query, indexerWeights: weights }: Readonly<Record<string, Tensor>>,
  keys: Entries,
): ReluWeightedScore {
  return { kind: 'reluWeighted', query, keys, weights, scale: query.shape[3] ** -0.5 };
}
