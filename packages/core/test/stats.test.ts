import { all, createAttention, fromQuery, ranges, type Stats, topk } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { leakFree } from './support/leaks.js';
import { holds, oneOf, whole } from './support/property.js';
import { bestPages, everyEntry, newest, oldest, planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

/** Bytes of a stored row. */
const rowBytes = {
  f32: (width: number) => 4 * width,
  f16: (width: number) => 2 * width,
  i8: (width: number) => width + 4,
};
const { heads, kvHeads, headDim, valueDim } = LAYER;

/** Sums over the queries of rows with these counts, from position `first` on. */
const total = (
  first: number,
  counts: readonly number[],
  of: (position: number) => number,
): number =>
  counts.reduce((sum, count) => {
    for (let t = 0; t < count; t++) sum += of(first + t);
    return sum;
  }, 0);

describe('stats', () => {
  const cases = fc.record({
    storage: oneOf<'f32' | 'f16' | 'i8'>('f32', 'f16', 'i8'),
    counts: fc.tuple(whole(0, 11), whole(1, 11)),
    queryChunk: whole(1, 6),
    window: whole(1, 8),
  });

  it('counts what is read, and what dense attention would have read', () =>
    holds(cases, ({ storage, counts, queryChunk, window }) =>
      leakFree(async (backend) => {
        const text = new Text(20, { batch: 2 });
        const strategy = newest(window);
        const layer = createAttention({ ...LAYER, queryChunk, storage, backend, strategy });
        const sequence = layer.sequence({ batch: 2 });
        (await sequence.attend(text.slice(0, 5))).dispose();
        const result = await sequence.attend(text.take({ first: [5, 5], counts }));
        const stats = await result.stats();

        const visible = kvHeads * total(5, counts, (position) => position + 1);
        const read = kvHeads * total(5, counts, (position) => Math.min(window, position + 1));
        const entry = rowBytes[storage](headDim) + rowBytes[storage](valueDim);
        expect(stats).toEqual({
          density: read / visible,
          entriesRead: read,
          entriesVisible: visible,
          flops: read * (heads / kvHeads) * 2 * (headDim + valueDim),
          bytesRead: read * entry,
          bytesHeld: sequence.bytes,
        } satisfies Stats);
        result.dispose();
        sequence.dispose();
      }),
    ));

  it('counts the scoring of selections: two flops a channel, the scored entries once for those who share', () =>
    leakFree(async (backend) => {
      const [pageSize, tokens] = [3, 10];
      const layer = createAttention({
        ...LAYER,
        pageSize,
        queryChunk: 4,
        backend,
        strategy: bestPages(2),
      });
      const result = await layer.run(new Text(tokens).slice(0, tokens));
      const { entriesRead, flops, bytesRead } = await result.stats();
      const pages = total(0, [tokens], (position) => Math.ceil((position + 1) / pageSize));
      expect(flops - entriesRead * 2 * 2 * (headDim + valueDim)).toBe(pages * heads * 2 * headDim);
      // A minimum and a maximum a page and kv head.
      expect(bytesRead - entriesRead * 4 * (headDim + valueDim)).toBe(
        pages * kvHeads * 2 * 4 * headDim,
      );
      result.dispose();
    }));

  it('reads the scored entries once for a block of queries', () =>
    leakFree(async (backend) => {
      const strategy = planning(({ query, keys, layer, ops }) => {
        const score = { kind: 'dot', query, keys, scale: layer.scale } as const;
        const selection = ops.select({ score, queryBlock: 3, pick: topk(2) });
        return { branches: [{ keys: 'cache', selection }] };
      });
      const layer = createAttention({ ...LAYER, backend, strategy });
      const result = await layer.run(new Text(7).slice(0, 7));
      const { entriesRead, bytesRead } = await result.stats();
      // The last query of each block sees 3, 6 and 7 entries.
      expect(bytesRead - entriesRead * 4 * (headDim + valueDim)).toBe(
        (3 + 6 + 7) * kvHeads * 4 * headDim,
      );
      result.dispose();
    }));

  it('counts a key once where it is the value as well', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...LAYER, values: 'key', backend, strategy: everyEntry() });
      const { query, key } = new Text(4).slice(0, 4);
      const result = await layer.run({ query, key });
      const { entriesRead, bytesRead, flops } = await result.stats();
      expect(entriesRead).toBe((1 + 2 + 3 + 4) * kvHeads);
      expect(bytesRead).toBe(entriesRead * 4 * headDim);
      expect(flops).toBe(entriesRead * 2 * 2 * (headDim + valueDim));
      result.dispose();
    }));

  it('adds up branches, and counts what several ranges name once', () =>
    leakFree(async (backend) => {
      const strategy = planning(() => ({
        branches: [
          { keys: 'cache', selection: ranges([0, 3], [1, 2], [fromQuery(-1), fromQuery(1)]) },
          { keys: 'cache', selection: all, visible: 1 },
        ],
      }));
      const layer = createAttention({ ...LAYER, backend, strategy });
      const result = await layer.run(new Text(9).slice(0, 9, 1));
      expect((await result.stats()).entriesRead).toBe(kvHeads * (3 + 2 + 1));
      result.dispose();
    }));

  it('knows the bytes of cache and index', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...LAYER, pageSize: 4, backend, strategy: bestPages(2) });
      const sequence = layer.sequence();
      const result = await sequence.attend(new Text(9).slice(0, 9));
      const { bytesHeld } = await result.stats();
      const cache = 3 * 4 * kvHeads * (headDim + valueDim) * 4;
      const index = 2 * 4 * kvHeads * headDim * 4; // one page of minima, one of maxima
      expect(bytesHeld).toBe(cache + index);
      result.dispose();
      sequence.dispose();
    }));

  it('knows the bytes that are left when the call has let old entries go', () =>
    leakFree(async (backend) => {
      const options = { ...LAYER, pageSize: 2, rollback: 0, backend, strategy: newest(2) };
      const sequence = createAttention(options).sequence();
      const result = await sequence.attend(new Text(20).slice(0, 20));
      const { bytesHeld } = await result.stats();
      expect(bytesHeld).toBe(sequence.bytes);
      expect(bytesHeld).toBe(2 * kvHeads * (headDim + valueDim) * 4); // the page of the last two
      result.dispose();
      sequence.dispose();
    }));

  it('knows what an encoder and cross-attention would have read', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...LAYER, backend, strategy: oldest(2) });
      const text = new Text(6, { batch: 2 });
      const lengths = [6, 4];
      const context = text.take({ first: [0, 0], counts: lengths });
      const encoder = await layer.run({ ...context, batch: 2, causal: false });
      const ofEncoder = await encoder.stats();
      expect(ofEncoder.entriesVisible).toBe(kvHeads * (6 * 6 + 4 * 4));
      expect(ofEncoder.entriesRead).toBe(kvHeads * (6 * 2 + 4 * 2));
      const query = text.query.cut([0, 0], [3, 3], 3).data;
      const across = await layer.run({ ...context, query, batch: 2, causal: false });
      expect((await across.stats()).entriesVisible).toBe(kvHeads * (3 * 6 + 3 * 4));
      for (const result of [encoder, across]) result.dispose();
    }));

  it('is nothing of nothing', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...LAYER, backend, strategy: everyEntry() });
      const result = await layer.run({ ...new Text(1).slice(0, 1), lengths: [0] });
      expect(await result.stats()).toMatchObject({ density: 0, entriesRead: 0, entriesVisible: 0 });
      result.dispose();
    }));
});

describe('stats and dispose', () => {
  const strategy = everyEntry();

  it('asked before dispose may be awaited after it', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...LAYER, backend, strategy });
      const result = await layer.run(new Text(4).slice(0, 4));
      const asked = result.stats();
      result.dispose();
      expect((await asked).entriesRead).toBe(10 * kvHeads);
      expect(await result.stats()).toEqual(await asked);
    }));

  it('asked after dispose is too late', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...LAYER, backend, strategy });
      const result = await layer.run(new Text(4).slice(0, 4));
      result.dispose();
      await expect(result.stats()).rejects.toThrowErrorMatchingInlineSnapshot(`
        [LifetimeError: stats: expected a live result, got a disposed one
          hint: await stats() before result.dispose()]
      `);
      await expect(result.output.data()).rejects.toMatchObject({ code: 'TENSOR_DISPOSED' });
    }));

  it('may be called without its result', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...LAYER, backend, strategy });
      const result = await layer.run(new Text(4).slice(0, 4));
      const { stats } = result;
      expect((await stats()).density).toBe(1);
      result.dispose();
    }));
});
