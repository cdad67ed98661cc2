import {
  all,
  type AttentionStrategy,
  defineStrategy,
  fromQuery,
  pageBounds,
  type Plan,
  ranges,
  type Step,
  topk,
} from '@jit-attention/core';

const SUPPORTS = { exact: true, sync: true, bidirectional: true };

/** A strategy that only plans. */
export function planning(
  plan: (step: Step) => Plan | Promise<Plan>,
  rest: Partial<AttentionStrategy> = {},
): AttentionStrategy {
  return { name: 'planning', apiVersion: 1, supports: SUPPORTS, plan, ...rest };
}

/** Reads every visible entry. */
export const everyEntry = (rest: Partial<AttentionStrategy> = {}): AttentionStrategy =>
  planning(() => ({ branches: [{ keys: 'cache', selection: all }] }), {
    name: 'everyEntry',
    ...rest,
  });

/** Reads the newest `count` entries and lets the others go. */
export const newest = (count: number): AttentionStrategy =>
  planning(
    () => ({
      branches: [{ keys: 'cache', selection: ranges([fromQuery(1 - count), fromQuery(1)]) }],
    }),
    { name: 'newest', dead: (length) => [[0, length + 1 - count]] },
  );

/** Reads the first `count` entries. */
export const oldest = (count: number): AttentionStrategy =>
  planning(() => ({ branches: [{ keys: 'cache', selection: ranges([0, count]) }] }), {
    name: 'oldest',
    dead: (length) => [[count, length]],
  });

/** Reads the query's own page and the best others by an upper bound of their scores: an index and a selection. */
export const bestPages = (pages: number): AttentionStrategy =>
  defineStrategy({
    name: 'bestPages',
    apiVersion: 1,
    supports: { ...SUPPORTS, bidirectional: false },
    index: pageBounds,
    plan({ query, keys, index: { min, max }, layer, ops }) {
      const selection = ops.select({
        score: { kind: 'bounds', query, min: min.rows, max: max.rows },
        over: keys,
        block: layer.pageSize,
        always: [[fromQuery(), fromQuery(1)]],
        pick: topk(pages),
      });
      return { branches: [{ keys: 'cache', selection }] };
    },
  });
