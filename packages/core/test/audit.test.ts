import {
  all,
  audit,
  type AuditOptions,
  type AuditReport,
  createAttention,
  fromQuery,
  isSampled,
  summarise,
} from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { attendNext, attendRows, runOnce } from './support/calls.js';
import { attendTo, type SoftmaxOptions, upTo } from './support/formula.js';
import { leakFree } from './support/leaks.js';
import { holds, oneOf, whole } from './support/property.js';
import { bestPages, everyEntry, newest, planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

/** The mass of the full softmax that lies in `read`, and both outputs, of one query of one head. */
function compare(
  text: Text,
  at: { row: number; head: number; position: number },
  read: readonly number[],
  softmax: SoftmaxOptions = {},
) {
  const full = attendTo(text, at, upTo(at.position + 1), softmax);
  const part = attendTo(text, at, read, softmax);
  return { recall: part.mass / full.mass, output: part.output, full: full.output };
}

const squares = (values: readonly number[]): number => values.reduce((sum, x) => sum + x * x, 0);

/** Everything the audits of a strategy report. */
function reporting(options: AuditOptions = {}): { options: AuditOptions; reports: AuditReport[] } {
  const reports: AuditReport[] = [];
  return { options: { ...options, onReport: (report) => reports.push(report) }, reports };
}

describe('audit', () => {
  const cases = fc.record({
    window: whole(1, 6),
    counts: fc.tuple(whole(0, 12), whole(1, 12)),
    queryChunk: whole(1, 8),
    sample: oneOf(1, 0.5, 0.1),
    seed: whole(0, 99),
    softmax: oneOf<SoftmaxOptions>({}, { softcap: 1 }, { sinkLogits: [1, -2, 0, 0.5] }),
  });

  it('reports the captured mass and the error of the output, as a formula has them', () =>
    holds(cases, ({ window, counts, queryChunk, sample, seed, softmax }) =>
      leakFree(async (backend) => {
        const text = new Text(20, { batch: 2 });
        const { options, reports } = reporting({ sample, seed });
        const strategy = audit(newest(window), options);
        const layer = createAttention({ ...LAYER, queryChunk, backend, strategy, ...softmax });
        const result = await layer.run({ ...text.take({ first: [0, 0], counts }), batch: 2 });
        const { recall, outputError } = await result.stats();
        result.dispose();

        const audited = reports.flatMap((report) => report.queries);
        const compared = audited.map(({ row, position }) =>
          upTo(LAYER.heads).map((head) => {
            const read = upTo(position + 1, position + 1 - window);
            return compare(text, { row, head, position }, read, softmax);
          }),
        );
        const recalls = compared.map((heads) => heads.map((one) => one.recall));
        const reported = reports.flatMap((report) => report.recalls);
        expect(reported.length).toBe(recalls.length);
        recalls.flat().forEach((value, i) => expect(reported.flat()[i]).toBeCloseTo(value, 5));

        const sampled = (row: number, position: number): boolean =>
          isSampled({ sample, seed }, row, position);
        const expected = counts.flatMap((count, row) =>
          upTo(count)
            .filter((position) => sampled(row, position))
            .map((position) => ({ row, position })),
        );
        const order = (a: { row: number; position: number }, b: typeof a): number =>
          a.row - b.row || a.position - b.position;
        expect([...audited].sort(order)).toEqual(expected);

        if (expected.length === 0) {
          expect([recall, outputError]).toEqual([undefined, undefined]);
          return;
        }
        const { mean, p5, min } = summarise(recalls.flat());
        expect(recall!.mean).toBeCloseTo(mean, 5);
        expect(recall!.p5).toBeCloseTo(p5, 5);
        expect(recall!.min).toBeCloseTo(min, 5);
        const ones = compared.flat();
        const difference = squares(
          ones.flatMap(({ output, full }) => output.map((x, d) => x - full[d])),
        );
        expect(outputError).toBeCloseTo(
          Math.sqrt(difference / squares(ones.flatMap(({ full }) => full))),
          5,
        );
      }),
    ));

  it('samples the same queries however calls are cut, and changes nothing of the output', () =>
    holds(
      fc.tuple(fc.array(whole(1, 7), { minLength: 1, maxLength: 6 }), whole(1, 9)),
      ([cuts, queryChunk]) =>
        leakFree(async (backend) => {
          const tokens = cuts.reduce((a, b) => a + b);
          const text = new Text(tokens);
          const { options, reports } = reporting({ sample: 0.4, seed: 3 });
          const recalls = (): Map<number, readonly number[]> =>
            new Map(
              reports
                .splice(0)
                .flatMap(({ queries, recalls }) =>
                  queries.map(({ position }, i) => [position, recalls[i]] as const),
                ),
            );
          const layer = createAttention({
            ...LAYER,
            queryChunk,
            backend,
            strategy: audit(newest(3), options),
          });
          const plain = createAttention({ ...LAYER, queryChunk, backend, strategy: newest(3) });
          const whole = { first: [0], counts: [tokens] };
          expect(await runOnce(layer, text, whole)).toEqual(await runOnce(plain, text, whole));
          await new Promise((resolve) => setTimeout(resolve, 0));
          const once = recalls();

          const sequence = layer.sequence();
          for (const count of cuts) await attendNext(sequence, text, count);
          await new Promise((resolve) => setTimeout(resolve, 0));
          expect(recalls()).toEqual(once);
          sequence.dispose();
        }),
    ));

  it('samples about the share that it is told to, another one for another seed', () => {
    const sampled = (options: AuditOptions): number[] =>
      upTo(20_000).filter((position) => isSampled(options, position % 3, position));
    for (const sample of [1 / 64, 0.25, 0.9])
      expect(sampled({ sample }).length / 20_000).toBeCloseTo(sample, 1);
    expect(sampled({ sample: 1 })).toHaveLength(20_000);
    expect(sampled({ sample: 0 })).toHaveLength(0);
    expect(sampled({}).length / 20_000).toBeCloseTo(1 / 64, 2);
    expect(sampled({ sample: 0.25, seed: 1 })).not.toEqual(sampled({ sample: 0.25, seed: 2 }));
  });

  it('finds nothing missed by a strategy that reads everything', () =>
    leakFree(async (backend) => {
      const layer = createAttention({
        ...LAYER,
        backend,
        strategy: audit(everyEntry(), { sample: 1 }),
      });
      const result = await layer.run(new Text(9).slice(0, 9));
      const { recall, outputError } = await result.stats();
      expect(recall).toEqual({ mean: 1, p5: 1, min: 1 });
      expect(outputError).toBe(0);
      result.dispose();
    }));

  it('calls onMiss for steps below minRecall alone, after onReport', () =>
    leakFree(async (backend) => {
      const calls: string[] = [];
      const strategy = audit(newest(2), {
        sample: 1,
        minRecall: 0.9999,
        onReport: ({ step }) => calls.push(`report ${step}`),
        onMiss: ({ step, recall }) => {
          expect(recall.min).toBeLessThan(0.9999);
          calls.push(`miss ${step}`);
        },
      });
      const sequence = createAttention({ ...LAYER, backend, strategy }).sequence();
      for (let token = 0; token < 4; token++) {
        await attendNext(sequence, new Text(4), 1);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      // The first two queries see no more than they read.
      expect(calls).toEqual(['report 0', 'report 1', 'report 2', 'miss 2', 'report 3', 'miss 3']);
      sequence.dispose();
    }));

  it('lets listeners fail at stats(), and only there', () =>
    leakFree(async (backend) => {
      const bang = new Error('bang');
      const told: number[] = [];
      const inner = newest(2);
      const strategy = audit(
        {
          ...inner,
          plan(step) {
            told.push(step.feedback.length);
            return inner.plan(step);
          },
        },
        {
          sample: 1,
          delay: 1,
          onReport: () => {
            throw bang;
          },
        },
      );
      const sequence = createAttention({ ...LAYER, backend, strategy }).sequence();
      const text = new Text(3);
      for (let token = 0; token < 3; token++) {
        const result = await sequence.attend(text.slice(token, token + 1));
        await expect(result.stats()).rejects.toBe(bang);
        result.dispose();
      }
      expect(told).toEqual([0, 1, 1]);
      sequence.dispose();
    }));

  it('counts as missed what the strategy keeps its queries from seeing', () =>
    leakFree(async (backend) => {
      const blind = planning(() => ({
        branches: [{ keys: 'cache', selection: all, visible: fromQuery(0) }],
      }));
      const text = new Text(6);
      const layer = createAttention({ ...LAYER, backend, strategy: audit(blind, { sample: 1 }) });
      const result = await layer.run(text.slice(0, 6));
      const expected = upTo(6).flatMap((position) =>
        upTo(4).map((head) => compare(text, { row: 0, head, position }, upTo(position)).recall),
      );
      const { recall } = await result.stats();
      expect(recall!.mean).toBeCloseTo(summarise(expected).mean, 5);
      expect(recall!.min).toBe(0); // the first query sees nothing
      result.dispose();
    }));

  it('keeps what the strategy would let go: an audit needs the whole cache', () =>
    leakFree(async (backend) => {
      const options = { ...LAYER, pageSize: 2, rollback: 0, backend };
      const plain = createAttention({ ...options, strategy: newest(2) }).sequence();
      const audited = createAttention({
        ...options,
        strategy: audit(newest(2), { sample: 1 }),
      }).sequence();
      for (const sequence of [plain, audited]) await attendNext(sequence, new Text(20), 20);
      expect(plain.bytes).toBeLessThan(audited.bytes / 4);
      for (const sequence of [plain, audited]) sequence.dispose();
    }));

  it('follows selections of a step, rows of unequal length and few queries', () =>
    leakFree(async (backend) => {
      const { options, reports } = reporting({ sample: 1 });
      const strategy = audit(bestPages(2), options);
      const sequence = createAttention({
        ...LAYER,
        pageSize: 3,
        queryChunk: 2,
        backend,
        strategy,
      }).sequence({ batch: 2 });
      const text = new Text(20, { batch: 2 });
      await attendRows(sequence, text, [7, 2]);
      await attendRows(sequence, text, [5, 9], 3);
      await new Promise((resolve) => setTimeout(resolve, 0));
      const queries = reports.flatMap((report) =>
        report.queries.map(({ row, position }) => `${row}:${position}`),
      );
      const expected = [...upTo(7).map((n) => `0:${n}`), '1:0', '1:1', '1:8', '1:9', '1:10'];
      expect([...queries].sort()).toEqual([...expected].sort());
      expect(reports.every(({ recall }) => recall.min > 0 && recall.min <= 1)).toBe(true);
      sequence.dispose();
    }));

  it('is refused for what has no full softmax to be compared with', () => {
    const inexact = everyEntry({ supports: { exact: false, sync: true, bidirectional: true } });
    expect(() => audit(inexact)).toThrowErrorMatchingInlineSnapshot(`
      [InputError: audit: expected a strategy that supports.exact, got everyEntry
        hint: compressed entries have no full softmax to be compared with]
    `);
  });

  it('keeps what the strategy set for its own audits, and its own name', () => {
    const strategy = everyEntry({ audit: { delay: 3, sample: 0.5 } });
    expect(audit(strategy, { seed: 9 })).toMatchObject({
      name: 'everyEntry',
      audit: { delay: 3, sample: 0.5, seed: 9, minRecall: 0 },
    });
  });
});
