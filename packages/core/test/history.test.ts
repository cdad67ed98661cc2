import { createAttention, type Sequence } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { attendNext, attendRows } from './support/calls.js';
import { upTo } from './support/formula.js';
import { errorWith } from './support/errors.js';
import { leakFree } from './support/leaks.js';
import { holds, oneOf, whole } from './support/property.js';
import { bestPages, everyEntry, newest } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const SMALL = { ...LAYER, pageSize: 4, queryChunk: 5, rollback: 6 };
const strategies = [everyEntry, () => newest(5), () => bestPages(2)];

describe('going back and branching off', () => {
  /** Steps of a scenario: every sequence follows a text of its own from where it branched off. */
  interface Action {
    readonly kind: 'attend' | 'truncate' | 'fork' | 'dispose';
    readonly which: number;
    readonly counts: readonly [number, number];
    readonly seed: number;
  }
  const kind = oneOf<Action['kind']>('attend', 'attend', 'attend', 'truncate', 'fork', 'dispose');
  const action: fc.Arbitrary<Action> = fc.record({
    kind,
    which: whole(0, 5),
    counts: fc.tuple(whole(0, 6), whole(0, 6)),
    seed: whole(1, 3),
  });
  const scenarios = fc.record({
    make: oneOf(...strategies),
    pageSize: oneOf(2, 3, 4),
    queryChunk: oneOf(2, 5, 64),
    actions: fc.array(action, { minLength: 4, maxLength: 16 }),
  });

  /** What each row has taken in: pieces of texts, in order. */
  interface Past {
    readonly sequence: Sequence;
    rows: { seed: number; position: number }[][];
  }

  it('equals a fresh sequence that only ever saw what is left', () =>
    holds(scenarios, ({ make, pageSize, queryChunk, actions }) =>
      leakFree(async (backend) => {
        const texts = [1, 2, 3].map((seed) => new Text(120, { batch: 2, seed }));
        const rollback = 100;
        const layer = createAttention({
          ...LAYER,
          pageSize,
          queryChunk,
          rollback,
          backend,
          strategy: make(),
        });
        const pasts: Past[] = [{ sequence: layer.sequence({ batch: 2 }), rows: [[], []] }];

        for (const { kind, which, counts, seed } of actions) {
          const past = pasts[which % pasts.length];
          if (kind === 'attend') {
            const output = await attendRows(past.sequence, texts[seed - 1], counts);
            past.rows = past.rows.map((row, b) => [
              ...row,
              ...upTo(row.length + counts[b], row.length).map((position) => ({ seed, position })),
            ]);
            expect(output).toEqual(await freshly(past, counts));
          } else if (kind === 'truncate') {
            const lengths = past.rows.map((row, b) => Math.max(0, row.length - counts[b]));
            past.sequence.truncate(lengths);
            past.rows = past.rows.map((row, b) => row.slice(0, lengths[b]));
          } else if (kind === 'fork') {
            pasts.push({ ...past, sequence: past.sequence.fork() });
          } else if (pasts.length > 1) {
            past.sequence.dispose();
            pasts.splice(pasts.indexOf(past), 1);
          }
        }
        for (const { sequence } of pasts) sequence.dispose();

        /** The output for the last `counts` tokens of the rows, all given in one call. */
        async function freshly({ rows }: Past, counts: readonly number[]): Promise<Float32Array> {
          const sequence = layer.sequence({ batch: 2 });
          const text = textOf(rows, texts);
          const before = rows.map((row, b) => row.length - counts[b]);
          await attendRows(sequence, text, before);
          const output = await attendRows(sequence, text, counts);
          sequence.dispose();
          return output;
        }
      }),
    ));

  /** The tokens of the rows as one text. */
  function textOf(rows: Past['rows'], texts: readonly Text[]): Text {
    const text = new Text(120, { batch: 2 });
    rows.forEach((row, b) =>
      row.forEach(({ seed, position }, n) => {
        for (const part of ['query', 'key', 'value'] as const) {
          for (let head = 0; head < text[part].shape[1]; head++)
            text[part].at(b, head, n).set(texts[seed - 1][part].at(b, head, position));
        }
      }),
    );
    return text;
  }

  it('truncates to a number for all rows, or one for each; longer than a row is nothing', () =>
    leakFree(async (backend) => {
      const sequence = createAttention({ ...SMALL, backend, strategy: everyEntry() }).sequence({
        batch: 2,
      });
      await attendRows(sequence, new Text(9, { batch: 2 }), [9, 2]);
      sequence.truncate(100);
      expect(sequence.lengths).toEqual([9, 2]);
      sequence.truncate(5);
      expect(sequence.lengths).toEqual([5, 2]);
      sequence.truncate([4, 0]);
      expect(sequence.lengths).toEqual([4, 0]);
      for (const wrong of [-1, 1.5, NaN, [1], [1, 2, 3], [1, -1]]) {
        expect(() => sequence.truncate(wrong)).toThrow(
          errorWith({ name: 'InputError', code: 'INVALID_OPTION' }),
        );
      }
      expect(sequence.lengths).toEqual([4, 0]);
      sequence.dispose();
    }));

  it('goes back `rollback` tokens where a strategy let entries go; further changes nothing', () =>
    leakFree(async (backend) => {
      const text = new Text(60);
      const layer = createAttention({ ...SMALL, backend, strategy: newest(5) });
      const [bold, careful] = [layer.sequence(), layer.sequence()];
      for (const sequence of [bold, careful]) await attendNext(sequence, text, 40);
      const error = errorWith({
        code: 'ROLLBACK_EXCEEDED',
        expected: 34,
        actual: 33,
      });
      expect(() => bold.truncate(33)).toThrow(error);
      expect(bold.length).toBe(40);
      for (const sequence of [bold, careful]) sequence.truncate(34);
      expect(await attendNext(bold, text, 9)).toEqual(await attendNext(careful, text, 9));
      for (const sequence of [bold, careful]) sequence.dispose();
    }));
});
