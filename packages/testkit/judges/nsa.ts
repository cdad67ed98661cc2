import {
  all,
  type AttentionStrategy,
  defineStrategy,
  fromQuery,
  groups,
  type IndexSite,
  type LinearOptions,
  ranges,
  series,
  topk,
} from '@jit-attention/core';

/** In tokens, the paper's in brackets; spans and blocks are multiples of the stride. */
export interface NsaOptions {
  /** A compressed span (32), one every `stride` (16). */
  length: number;
  stride: number;
  /** A selected block (64), and how many (16), three forced ones included. */
  block: number;
  blocks: number;
  /** The query's own token included (512). */
  window: number;
  /** φ, over the tokens of a span side by side; a position embedding is in the first layer's bias. */
  phi: { keys: readonly LinearOptions[]; values: readonly LinearOptions[] };
}

/** NSA (arXiv 2502.11089): three branches with keys and values of their own, and gates; blocks read the cache. */
export function nsa({ length, stride, block, blocks, window, phi }: NsaOptions): AttentionStrategy {
  const compressed = (site: IndexSite, input: string, layers: readonly LinearOptions[]) =>
    groups(site, {
      inputs: [input],
      stride,
      length,
      make: ({ ops, pool }) => layers.reduce((x, layer) => ops.linear(x, layer), pool('concat')),
    });
  // The strides of a block that each span touching it covers: 1, 2, 2, 2, 1 in the paper.
  const [a, b] = [block / stride, length / stride];
  const weights = Array.from({ length: a + b - 1 }, (_, i) => Math.min(i + 1, a, b, a + b - 1 - i));
  return defineStrategy({
    name: 'nsa',
    apiVersion: 1,
    supports: { exact: false, sync: true, bidirectional: false },
    requires: {
      spanQuery: { per: 'query' },
      spanKey: { per: 'key' },
      spanValue: { per: 'key', width: 'valueDim' },
      windowKey: { per: 'key' },
      windowValue: { per: 'key', width: 'valueDim' },
      gates: { per: 'query', width: 3 },
    },
    index: (site) => ({
      spanKeys: compressed(site, 'spanKey', phi.keys),
      spanValues: compressed(site, 'spanValue', phi.values),
      windowKeys: series(site, { input: 'windowKey', window }),
      windowValues: series(site, { input: 'windowValue', window }),
    }),
    plan({ keys: over, index, aux, layer: { scale }, ops }) {
      const visible = fromQuery(1 + stride - length, stride);
      const spans = { query: aux.spanQuery, keys: index.spanKeys.rows, scale, visible };
      const forced = [[0, 1] as const, [fromQuery(-block), fromQuery(1)] as const];
      const score = { kind: 'softmax', ...spans } as const;
      const pool = { stride: a, offset: 1 - b, weights };
      const recent = ranges([fromQuery(1 - window), fromQuery(1)]);
      return {
        branches: [
          { ...spans, values: index.spanValues.rows, selection: all },
          {
            keys: 'cache',
            selection: ops.select({ score, pool, over, block, always: forced, pick: topk(blocks) }),
          },
          { keys: index.windowKeys.rows, values: index.windowValues.rows, selection: recent },
        ],
        gates: aux.gates,
      };
    },
  });
}
