import {
  type AttentionStrategy,
  defineStrategy,
  fromQuery,
  pageBounds,
  series,
  topk,
  topp,
} from '@jit-attention/core';

export interface TopPOptions {
  /** Share of the estimated attention mass to keep, for every query head. */
  p: number;
  /** At most so many entries for a query head. Default: all. */
  capacity?: number | undefined;
  /** Candidates: the pages of the best upper bounds, the query's own always. Default: all entries. */
  pages?: number | undefined;
}

/**
 * Twilight (arXiv 2502.02770): softmax over int4 keys as an estimate; each query head keeps the smallest set of
 * mass `p`, a kv head reads what any of its query heads keeps.
 */
export function topP({ p, capacity, pages }: TopPOptions): AttentionStrategy {
  return defineStrategy({
    name: 'top-p',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: false },
    options: { p, capacity, pages },
    index: (site) => ({
      estimate: series(site, {
        input: 'keys',
        make: (keys, { ops }) => ops.quantise(keys, { bits: 4, range: 'minmax' }),
      }),
      ...pageBounds(site),
    }),
    plan({ query, index, keys, layer, ops }) {
      const { scale, softcap, pageSize: block } = layer;
      const { min, max, estimate } = index;
      const bounds = { kind: 'bounds', query, min: min.rows, max: max.rows } as const;
      const candidates =
        pages === undefined
          ? undefined
          : ops.select({
              score: bounds,
              over: keys,
              block,
              always: [[fromQuery(0), fromQuery(1)]],
              pick: topk(pages),
            });
      const selection = ops.select({
        score: { kind: 'softmax', query, keys: estimate.rows, scale, softcap },
        reduce: 'union',
        within: candidates,
        pick: topp(p, capacity ?? Math.max(...keys.lengths)),
      });
      return { branches: [{ keys: 'cache', selection }] };
    },
  });
}
