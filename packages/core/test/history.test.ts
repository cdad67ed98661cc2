import { type Attention, createAttention, type Sequence } from '@jit-attention/core';
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

const texts = [1, 2, 3].map((seed) => new Text(120, { batch: 2, seed }));

/** A sequence of two rows, and which token of which text each of its tokens is. */
class History {
  readonly #layer: Attention;
  readonly #sequence: Sequence;
  #rows: (readonly { seed: number; position: number }[])[] = [[], []];
  /** The longest each row has been: what `rollback` counts from. */
  #longest = [0, 0];

  constructor(layer: Attention, sequence: Sequence) {
    this.#layer = layer;
    this.#sequence = sequence;
  }

  /** Appends the tokens of one of the texts that stand where the rows end, and compares the output. */
  async attend(counts: readonly number[], seed: number): Promise<void> {
    const output = await attendRows(this.#sequence, texts[seed - 1], counts);
    this.#rows = this.#rows.map((row, b) => [
      ...row,
      ...upTo(row.length + counts[b], row.length).map((position) => ({ seed, position })),
    ]);
    this.#longest = this.#longest.map((longest, b) => Math.max(longest, this.#rows[b].length));
    expect(output).toEqual(await this.#freshly(counts));
  }

  truncate(counts: readonly number[]): void {
    const lengths = this.#rows.map((row, b) => Math.max(0, row.length - counts[b]));
    const { rollback } = this.#layer.layer;
    const mustWork = lengths.every((length, b) => length >= this.#longest[b] - rollback);
    try {
      this.#sequence.truncate(lengths);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ROLLBACK_EXCEEDED' });
      expect(mustWork, 'a truncation within rollback was refused').toBe(false);
      return; // Nothing has changed, as the next call shows.
    }
    this.#rows = this.#rows.map((row, b) => row.slice(0, lengths[b]));
  }

  fork(): History {
    const fork = new History(this.#layer, this.#sequence.fork());
    fork.#rows = this.#rows;
    fork.#longest = this.#longest;
    return fork;
  }

  dispose(): void {
    this.#sequence.dispose();
  }

  /** The output for the last `counts` tokens of a sequence that is given the rows in two calls. */
  async #freshly(counts: readonly number[]): Promise<Float32Array> {
    const text = this.#text();
    const sequence = this.#layer.sequence({ batch: 2 });
    await attendRows(
      sequence,
      text,
      this.#rows.map((row, b) => row.length - counts[b]),
    );
    const output = await attendRows(sequence, text, counts);
    sequence.dispose();
    return output;
  }

  /** The tokens of the rows as one text. */
  #text(): Text {
    const text = new Text(120, { batch: 2 });
    this.#rows.forEach((row, b) =>
      row.forEach(({ seed, position }, n) => {
        for (const part of ['query', 'key', 'value'] as const) {
          for (let head = 0; head < text[part].shape[1]; head++)
            text[part].at(b, head, n).set(texts[seed - 1][part].at(b, head, position));
        }
      }),
    );
    return text;
  }
}

describe('going back and branching off', () => {
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
    rollback: oneOf(0, 3, 8, 100),
    actions: fc.array(action, { minLength: 4, maxLength: 16 }),
  });

  it('equals a fresh sequence that only ever saw what is left', () =>
    holds(scenarios, ({ make, actions, ...sizes }) =>
      leakFree(async (backend) => {
        const layer = createAttention({ ...LAYER, ...sizes, backend, strategy: make() });
        const histories = [new History(layer, layer.sequence({ batch: 2 }))];
        for (const { kind, which, counts, seed } of actions) {
          const history = histories[which % histories.length];
          if (kind === 'attend') await history.attend(counts, seed);
          else if (kind === 'truncate') history.truncate(counts);
          else if (kind === 'fork') histories.push(history.fork());
          else if (histories.length > 1)
            histories.splice(histories.indexOf(history), 1)[0].dispose();
        }
        for (const history of histories) history.dispose();
      }),
    ));

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
      const fork = bold.fork();
      for (const sequence of [bold, fork]) {
        expect(() => sequence.truncate(33)).toThrow(error);
        expect(sequence.length).toBe(40);
      }
      fork.dispose();
      for (const sequence of [bold, careful]) sequence.truncate(34);
      expect(await attendNext(bold, text, 9)).toEqual(await attendNext(careful, text, 9));
      for (const sequence of [bold, careful]) sequence.dispose();
    }));
});
