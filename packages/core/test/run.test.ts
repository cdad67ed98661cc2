import { createAttention, fromQuery, ranges, topk } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { outputOf, runOnce } from './support/calls.js';
import { attention, attendTo, everything, expectClose, upTo } from './support/formula.js';
import { leakFree } from './support/leaks.js';
import { holds, whole } from './support/property.js';
import { bestPages, everyEntry, planning } from './support/strategies.js';
import { Block, LAYER, Text } from './support/text.js';

const batched = fc.record({
  tokens: whole(1, 14),
  queryChunk: whole(1, 6),
  counts: fc.tuple(whole(0, 14), whole(0, 14)),
  few: whole(1, 14),
});

describe('run', () => {
  it('lines the queries up with the last keys, row by row', () =>
    holds(batched, ({ tokens, queryChunk, counts, few }) =>
      leakFree(async (backend) => {
        const text = new Text(14, { batch: 2 });
        const layer = createAttention({ ...LAYER, queryChunk, backend, strategy: everyEntry() });
        const lengths = [tokens, Math.min(counts[0], tokens)];
        const stretch = { first: [0, 0], counts: lengths, queries: Math.min(few, tokens) };
        const output = await runOnce(layer, text, stretch);
        expectClose(output, attention(text, stretch, everything));
      }),
    ));

  it('equals a sequence that is given the same in one call', () =>
    holds(batched, ({ tokens, queryChunk }) =>
      leakFree(async (backend) => {
        const text = new Text(14);
        const layer = createAttention({
          ...LAYER,
          pageSize: 3,
          queryChunk,
          backend,
          strategy: bestPages(2),
        });
        const sequence = layer.sequence();
        const appended = await outputOf(sequence.attend(text.slice(0, tokens)));
        expect(await runOnce(layer, text, { first: [0], counts: [tokens] })).toEqual(appended);
        sequence.dispose();
      }),
    ));

  it('lets every token of an encoder see its whole row and nothing of the padding', () =>
    holds(batched, ({ tokens, queryChunk, counts }) =>
      leakFree(async (backend) => {
        const text = new Text(14, { batch: 2 });
        const layer = createAttention({ ...LAYER, queryChunk, backend, strategy: everyEntry() });
        const lengths = [tokens, Math.min(counts[0], tokens)];
        const stretch = { first: [0, 0], counts: lengths };
        const output = await runOnce(layer, text, stretch, { causal: false });
        expectClose(
          output,
          attention(text, stretch, (row) => upTo(lengths[row])),
        );
      }),
    ));

  it('attends across: another number of keys than queries, all queries valid', () =>
    holds(fc.tuple(whole(1, 9), whole(1, 14), whole(0, 14)), ([queries, keys, short]) =>
      leakFree(async (backend) => {
        fc.pre(queries !== keys);
        const text = new Text(14, { batch: 2 });
        const lengths = [keys, Math.min(short, keys)];
        const layer = createAttention({ ...LAYER, queryChunk: 4, backend, strategy: everyEntry() });
        const query = text.query.cut([0, 0], [queries, queries], queries).data;
        const context = text.take({ first: [0, 0], counts: lengths });
        const output = await outputOf(layer.run({ ...context, query, batch: 2, causal: false }));
        const expected = attention(text, { first: [0, 0], counts: [queries, queries] }, (row) =>
          upTo(lengths[row]),
        );
        expectClose(output, expected);
      }),
    ));

  it('takes the values from the keys when they are their first channels', () =>
    leakFree(async (backend) => {
      const text = new Text(9);
      // The same text, its values copied from the keys.
      const shared = new Text(9);
      for (let head = 0; head < 2; head++) {
        for (let token = 0; token < 9; token++)
          shared.value.at(0, head, token).set(text.key.at(0, head, token).subarray(0, 3));
      }
      const options = { ...LAYER, pageSize: 4, backend, strategy: bestPages(2) };
      const { query, key } = text.slice(0, 9);
      const layer = createAttention({ ...options, values: 'key' });
      const once = await outputOf(layer.run({ query, key }));
      const own = createAttention(options);
      expect(once).toEqual(await outputOf(own.run(shared.slice(0, 9))));

      const sequence = layer.sequence();
      expect(await outputOf(sequence.attend({ query, key }))).toEqual(once);
      expect(sequence.bytes).toBe(3 * 4 * 2 * 4 * 4 + 2 * 4 * 2 * 4 * 4); // keys, and page bounds
      sequence.dispose();
    }));

  it('refuses a strategy that is causal only, before it does anything', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...LAYER, backend, strategy: bestPages(1) });
      const { query, key, value } = new Text(3).slice(0, 3);
      await expect(
        layer.run({ query, key, value, causal: false }),
      ).rejects.toThrowErrorMatchingInlineSnapshot(
        `[InputError: run: expected a strategy that supports.bidirectional, as causal is false, got bestPages]`,
      );
    }));

  it('gives zeros to a query that sees or selects nothing', () =>
    leakFree(async (backend) => {
      const strategy = planning(() => ({
        branches: [{ keys: 'cache', selection: ranges([0, fromQuery(-1)]) }],
      }));
      const text = new Text(4);
      const output = await runOnce(createAttention({ ...LAYER, backend, strategy }), text, {
        first: [0],
        counts: [4],
      });
      const block = new Block([1, 4, 4, 3], output);
      for (const position of [0, 1]) expect([...block.at(0, 0, position)]).toEqual([0, 0, 0]);
      const { output: expected } = attendTo(text, { row: 0, head: 0, position: 3 }, [0, 1]);
      expectClose(block.at(0, 0, 3), Float32Array.from(expected));
    }));

  it('shows the strategy keys, values, visibility and positions of the whole call', () =>
    leakFree(async (backend) => {
      const seen: unknown[] = [];
      const strategy = planning(({ keys, values, positions, visible, query, ops, layer }) => {
        seen.push({
          positions,
          visible,
          lengths: [keys.lengths, values.lengths],
          shape: query.shape,
        });
        const selection = ops.select({
          score: { kind: 'dot', query, keys, scale: layer.scale },
          pick: topk(2),
        });
        return { branches: [{ keys: 'cache', selection }] };
      });
      const text = new Text(5, { batch: 2 });
      const layer = createAttention({ ...LAYER, queryChunk: 2, backend, strategy });
      await runOnce(layer, text, { first: [0, 0], counts: [5, 4], queries: 3 });
      const common = {
        visible: fromQuery(1),
        lengths: [
          [5, 4],
          [5, 4],
        ],
      };
      expect(seen).toEqual([
        { ...common, positions: { first: [2, 2], counts: [2, 2], tokens: 2 }, shape: [2, 4, 2, 4] },
        { ...common, positions: { first: [4, 4], counts: [1, 0], tokens: 1 }, shape: [2, 4, 1, 4] },
      ]);
    }));
});
