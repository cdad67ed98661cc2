import {
  all,
  type AttentionStrategy,
  audit,
  type AuxSpec,
  createAttention,
  defineStrategy,
  fromQuery,
  ranges,
  series,
  topk,
  union,
} from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { attendNext, outputOf, runOnce } from './support/calls.js';
import { errorWith } from './support/errors.js';
import { attention, everything, expectClose, type Reads, upTo } from './support/formula.js';
import { leakFree } from './support/leaks.js';
import { normals } from './support/random.js';
import { holds, whole } from './support/property.js';
import { bestPages, everyEntry, newest, oldest, planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const TOKENS = 12;
const stretch = { first: [0], counts: [TOKENS] };
const text = new Text(TOKENS);

const newestReads =
  (count: number): Reads =>
  (_, position) =>
    upTo(position + 1, position + 1 - count);
const oldestReads =
  (count: number): Reads =>
  (_, position) =>
    upTo(Math.min(count, position + 1));
const either =
  (...parts: Reads[]): Reads =>
  (row, position, kvHead) => [...new Set(parts.flatMap((reads) => reads(row, position, kvHead)))];

/** One entry for each query and kv head by the largest dot product: a selection that only the device knows. */
const best = (): AttentionStrategy =>
  planning(
    ({ query, keys, layer, ops }) => {
      const score = { kind: 'dot', query, keys, scale: layer.scale } as const;
      return { branches: [{ keys: 'cache', selection: ops.select({ score, pick: topk(1) }) }] };
    },
    { name: 'best' },
  );

const bestReads: Reads = (row, position, kvHead) => {
  const heads = [2 * kvHead, 2 * kvHead + 1];
  const scores = upTo(position + 1).map((entry) =>
    Math.max(
      ...heads.map((head) =>
        text.query
          .at(row, head, position)
          .reduce((sum, q, d) => sum + q * text.key.at(row, kvHead, entry)[d], 0),
      ),
    ),
  );
  return [scores.indexOf(Math.max(...scores))];
};

describe('union', () => {
  const counts = fc.record({ new: whole(1, 9), old: whole(0, 9), queryChunk: whole(1, 13) });

  it('attends to what either reads, each entry once', () =>
    holds(counts, (size) =>
      leakFree(async (backend) => {
        const strategy = union(newest(size.new), oldest(size.old));
        const layer = createAttention({ ...LAYER, queryChunk: size.queryChunk, backend, strategy });
        const reads = either(newestReads(size.new), oldestReads(size.old));
        const result = await layer.run(text.take(stretch));
        expectClose(await result.output.data(), attention(text, stretch, reads));
        const { entriesRead } = await result.stats();
        expect(entriesRead).toBe(
          2 * upTo(TOKENS).reduce((sum, n) => sum + reads(0, n, 0).length, 0),
        );
        result.dispose();
      }),
    ));

  it('nests, and unites what the device selected', () =>
    holds(counts, (size) =>
      leakFree(async (backend) => {
        const strategy = union(union(newest(size.new), best()), union(best(), oldest(size.old)));
        const layer = createAttention({ ...LAYER, queryChunk: size.queryChunk, backend, strategy });
        const reads = either(newestReads(size.new), oldestReads(size.old), bestReads);
        expectClose(await runOnce(layer, text, stretch), attention(text, stretch, reads));
      }),
    ));

  it('of a strategy with itself is that strategy, each with an index of its own', () =>
    leakFree(async (backend) => {
      const options = { ...LAYER, pageSize: 3, queryChunk: 5, backend };
      const twice = createAttention({ ...options, strategy: union(bestPages(2), bestPages(2)) });
      const once = createAttention({ ...options, strategy: bestPages(2) });
      expect(await runOnce(twice, text, stretch)).toEqual(await runOnce(once, text, stretch));
      const sequence = twice.sequence();
      await attendNext(sequence, text, 7);
      const fork = sequence.fork();
      sequence.truncate(4);
      const plain = once.sequence();
      await attendNext(plain, text, 4);
      expect(await attendNext(sequence, text, 5)).toEqual(await attendNext(plain, text, 5));
      for (const one of [sequence, fork, plain]) one.dispose();
    }));

  it('knows the same entries by their defaults, spelled out or not', () =>
    leakFree(async (backend) => {
      const terse = planning(() => ({ branches: [{ keys: 'cache', selection: ranges([0, 4]) }] }));
      const wordy = planning(({ query, layer: { scale }, visible }) => ({
        branches: [
          { keys: 'cache', values: 'cache', query, scale, visible, selection: ranges([2, 6]) },
        ],
      }));
      for (const strategy of [union(terse, wordy), union(wordy, terse)]) {
        const layer = createAttention({ ...LAYER, queryChunk: 5, backend, strategy });
        expectClose(await runOnce(layer, text, stretch), attention(text, stretch, oldestReads(6)));
      }
    }));

  it('melts a branch into several that it overlaps', () =>
    leakFree(async (backend) => {
      const split = planning(() => ({
        branches: [
          { keys: 'cache', selection: ranges([0, 3]) },
          { keys: 'cache', selection: ranges([6, 9]) },
        ],
      }));
      const layer = createAttention({ ...LAYER, backend, strategy: union(split, oldest(8)) });
      expectClose(await runOnce(layer, text, stretch), attention(text, stretch, oldestReads(9)));
    }));

  it('puts entries of other keys beside the cache, in one softmax', () =>
    leakFree(async (backend) => {
      const own = defineStrategy({
        ...everyEntry({ name: 'own' }),
        index: (site) => ({
          copy: series(site, { input: 'keys' }),
          values: series(site, { input: 'values' }),
        }),
        plan: ({ index: { copy, values } }) => ({
          branches: [{ keys: copy.rows, values: values.rows, selection: ranges([0, 4]) }],
        }),
      });
      const layer = createAttention({ ...LAYER, backend, strategy: union(own, newest(3)) });
      // The same numbers under other keys count twice.
      const reads: Reads = (_, position) => [
        ...upTo(Math.min(4, position + 1)),
        ...upTo(position + 1, position - 2),
      ];
      expectClose(await runOnce(layer, text, stretch), attention(text, stretch, reads));
    }));

  it('waits for plans that are promised', () =>
    leakFree(async (backend) => {
      const slow: AttentionStrategy = {
        ...newest(2),
        plan: async (step) => {
          await new Promise((resolve) => setTimeout(resolve, 0));
          return newest(2).plan(step);
        },
      };
      const strategy = union(oldest(1), slow);
      const output = await runOnce(createAttention({ ...LAYER, backend, strategy }), text, stretch);
      expectClose(output, attention(text, stretch, either(newestReads(2), oldestReads(1))));
    }));

  it('refuses gated plans, and two views of the same entries', () =>
    leakFree(async (backend) => {
      const gated = planning(
        ({ aux: { gates } }) => ({ branches: [{ keys: 'cache', selection: all }], gates }),
        {
          requires: { gates: { per: 'query', heads: 'heads', width: 1 } },
        },
      );
      const past = planning(() => ({
        branches: [{ keys: 'cache', selection: all, visible: fromQuery(0) }],
      }));
      const inputs = text.take(stretch);
      const aux = { gates: new Float32Array(4 * TOKENS) };
      for (const strategy of [union(gated, newest(2)), union(newest(2), gated)]) {
        const call = createAttention({ ...LAYER, backend, strategy }).run({ ...inputs, aux });
        await expect(call).rejects.toMatchObject({ name: 'PlanError', code: 'PLAN_INVALID' });
      }
      const call = createAttention({ ...LAYER, backend, strategy: union(past, newest(2)) }).run(
        inputs,
      );
      await expect(call).rejects.toMatchObject({ name: 'PlanError', code: 'PLAN_INVALID' });
    }));
});

describe('what a union is made of', () => {
  it('has both names, and can do what both can', () => {
    const both = union(newest(2), union(bestPages(1), everyEntry()));
    expect(both).toMatchObject({
      name: 'union(newest, union(bestPages, everyEntry))',
      apiVersion: 1,
      supports: { exact: true, sync: true, bidirectional: false },
    });
  });

  it('requires what either requires, a name with one meaning', () =>
    leakFree(async (backend) => {
      const wanting = (name: string, requires: Record<string, AuxSpec>): AttentionStrategy =>
        planning(
          ({ aux }) => {
            for (const wanted of Object.keys(requires)) expect(aux[wanted].shape[2]).toBe(TOKENS);
            return { branches: [{ keys: 'cache', selection: all }] };
          },
          { name, requires },
        );
      const gate: AuxSpec = { per: 'query', heads: 'heads', width: 1 };
      const other: AuxSpec = { per: 'query', heads: 1, width: 2 };
      const both = union(wanting('a', { gate }), wanting('b', { gate: { ...gate }, other }));
      expect(both.requires).toEqual({ gate, other });
      const layer = createAttention({ ...LAYER, backend, strategy: both });
      const aux = { gate: normals(4 * TOKENS, 1), other: normals(2 * TOKENS, 2) };
      const output = await outputOf(layer.run({ ...text.take(stretch), aux }));
      expectClose(output, attention(text, stretch, everything));

      expect(() =>
        union(wanting('a', { gate }), wanting('b', { gate: other })),
      ).toThrowErrorMatchingInlineSnapshot(
        `[InputError: union: expected one meaning of the auxiliary tensor 'gate', got two, in a and b]`,
      );
    }));

  it('asks both whether they go with a layer', () => {
    const refusing = everyEntry({
      validate() {
        throw new Error('no');
      },
    });
    for (const both of [union(newest(1), refusing), union(refusing, newest(1))])
      expect(() => both.validate!({} as never)).toThrow('no');
    expect(() => union(newest(1), newest(2)).validate!({} as never)).not.toThrow();
  });

  it('lets go what both let go: flat memory where both do, and only there', () =>
    leakFree(async (backend) => {
      const options = { ...LAYER, pageSize: 2, rollback: 2, backend };
      const long = new Text(80);
      const bytesOf = async (strategy: AttentionStrategy): Promise<number[]> => {
        const sequence = createAttention({ ...options, strategy }).sequence();
        const bytes: number[] = [];
        for (let token = 0; token < 80; token++) {
          await attendNext(sequence, long, 1);
          bytes.push(sequence.bytes);
        }
        sequence.dispose();
        return bytes.slice(40);
      };
      const flat = await bytesOf(union(oldest(3), newest(4)));
      expect(Math.max(...flat)).toBeLessThanOrEqual(2 * 2 * (3 + 4) * 4 * 8);
      expect(new Set(flat).size).toBeLessThanOrEqual(2); // a page more or less
      const growing = await bytesOf(union(oldest(3), everyEntry()));
      expect(growing.at(-1)).toBeGreaterThan(growing[0]);
    }));

  it('reads rightly of what is left when both let entries go', () =>
    leakFree(async (backend) => {
      const long = new Text(60);
      const strategy = union(oldest(3), union(newest(4), newest(2)));
      const sequence = createAttention({
        ...LAYER,
        pageSize: 2,
        rollback: 2,
        backend,
        strategy,
      }).sequence();
      for (let position = 0; position < 60; position++) {
        const output = await attendNext(sequence, long, 1);
        const one = { first: [position], counts: [1] };
        expectClose(output, attention(long, one, either(oldestReads(3), newestReads(4))));
      }
      sequence.dispose();
    }));

  it('is audited by the options of the first that is', () => {
    const [first, second] = [audit(newest(1), { seed: 1 }), audit(newest(2), { seed: 2 })];
    expect(union(first, second).audit).toBe(first.audit);
    expect(union(newest(1), second).audit).toBe(second.audit);
    expect(union(newest(1), newest(2)).audit).toBeUndefined();
  });

  it('hands on by name what either hands on, a name with one meaning', () =>
    leakFree(async (backend) => {
      const handing = (name: string): AttentionStrategy => {
        const inner = bestPages(1);
        return {
          ...inner,
          async plan(step) {
            const { branches } = await inner.plan(step);
            const [{ selection }] = branches;
            if (selection.kind !== 'blocks') throw new Error('expected blocks');
            return { branches, handoff: { selections: { [name]: selection } } };
          },
        };
      };
      const options = { ...LAYER, pageSize: 3, backend };
      const layer = createAttention({
        ...options,
        strategy: union(handing('one'), handing('two')),
      });
      const result = await layer.run({ ...text.take(stretch), keepPlan: true });
      const { selections } = result.plan!.chunks[0].plan.handoff!;
      expect(Object.keys(selections!)).toEqual(['one', 'two']);
      result.dispose();

      const clash = createAttention({
        ...options,
        strategy: union(handing('one'), handing('one')),
      });
      await expect(clash.run(text.take(stretch))).rejects.toThrow(
        errorWith({ code: 'PLAN_INVALID' }),
      );
    }));
});
