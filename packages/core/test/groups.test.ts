import { type Groups, groups, type GroupsOptions, type Sequence } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { contentsOf } from './support/entries.js';
import { errorWith } from './support/errors.js';
import { leakFree } from './support/leaks.js';
import { Probe, RAW_WIDTH } from './support/probe.js';
import { holds, oneOf, whole } from './support/property.js';

interface Shape {
  readonly input: 'raw' | 'keys';
  readonly stride: number;
  readonly length: number;
  readonly overlap: number;
  readonly partial: boolean;
}

const shapes = fc.record({
  input: oneOf<Shape['input']>('raw', 'keys'),
  stride: whole(1, 5),
  length: whole(1, 8),
  overlap: whole(0, 4),
  partial: fc.boolean(),
});

/** Lays the rows of a group side by side, so that every entry shows what it was made of. */
function layingOut({ input, stride, length, overlap, partial }: Shape): GroupsOptions {
  return {
    inputs: [input],
    stride,
    length,
    overlap,
    partial,
    make: ({ ops, inputs, first, count }) => {
      const part = { values: inputs[input], start: -overlap, length: overlap + length };
      return ops.pool({ kind: 'concat', parts: [part], stride, first, count });
    },
  };
}

/** What the groups of these tokens must be: their rows side by side, absent ones zeros. */
function expectedGroups(tokens: readonly number[], shape: Shape): number[][] {
  const { stride, length, overlap, partial } = shape;
  const groups: number[][] = [];
  for (let start = 0; start < tokens.length; start += stride) {
    if (!partial && start + length > tokens.length) break;
    const members = Array.from(
      { length: overlap + length },
      (_, i) => tokens[start - overlap + i] ?? 0,
    );
    groups.push(members.flatMap((number) => [number, number === 0 ? 0 : -number]));
  }
  return groups;
}

interface Action {
  readonly kind: 'append' | 'truncate' | 'fork' | 'dispose';
  readonly which: number;
  readonly counts: readonly number[];
}

const scenarios = fc
  .record({ shape: shapes, batch: whole(1, 2), rollback: whole(0, 9) })
  .chain((spec) => {
    const counts = fc.array(whole(0, 14), { minLength: spec.batch, maxLength: spec.batch });
    const kind = oneOf<Action['kind']>(
      'append',
      'append',
      'append',
      'truncate',
      'truncate',
      'fork',
      'dispose',
    );
    const action = fc.record({ kind, which: whole(0, 5), counts });
    return fc
      .array(action, { minLength: 4, maxLength: 20 })
      .map((actions) => ({ ...spec, actions }));
  });

/** A sequence and its tokens, as lists. */
interface Watched {
  readonly sequence: Sequence;
  rows: number[][];
  /** The longest each row has been: what `rollback` counts from. */
  longest: number[];
}

class World {
  readonly watched: Watched[];
  readonly #probe: Probe<Groups>;
  readonly #shape: Shape;
  readonly #rollback: number;
  #last = 0;

  constructor(
    probe: Probe<Groups>,
    { shape, batch, rollback }: { shape: Shape; batch: number; rollback: number },
  ) {
    this.#probe = probe;
    this.#shape = shape;
    this.#rollback = rollback;
    const rows = Array.from({ length: batch }, () => []);
    this.watched = [{ sequence: probe.sequence(batch), rows, longest: rows.map(() => 0) }];
  }

  async act({ kind, which, counts }: Action): Promise<void> {
    const one = this.watched[which % this.watched.length];
    switch (kind) {
      case 'append':
        return this.append(
          one,
          counts.map((count) => Math.floor(count / 2)),
        );
      case 'truncate':
        return this.#truncate(one, counts);
      case 'fork':
        this.watched.push({ ...one, sequence: one.sequence.fork() });
        return;
      case 'dispose':
        if (this.watched.length === 1) return;
        one.sequence.dispose();
        this.watched.splice(this.watched.indexOf(one), 1);
    }
  }

  /** Appends, and holds every group to the formula. */
  async append(one: Watched, counts: readonly number[]): Promise<void> {
    if (Math.max(...counts) === 0) return;
    const fresh = counts.map((count) => Array.from({ length: count }, () => ++this.#last));
    const part = await this.#probe.append(one.sequence, fresh);
    one.rows = one.rows.map((row, b) => [...row, ...fresh[b]]);
    one.longest = one.rows.map((row, b) => Math.max(row.length, one.longest[b]));
    const expected = one.rows.map((row) => [expectedGroups(row, this.#shape)]);
    expect(await contentsOf(part.rows)).toEqual(expected);
  }

  #truncate(one: Watched, counts: readonly number[]): void {
    const wanted = one.rows.map((row, b) => Math.max(0, row.length - counts[b]));
    const mustWork = wanted.every((length, b) => length >= one.longest[b] - this.#rollback);
    try {
      one.sequence.truncate(wanted);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ROLLBACK_EXCEEDED' });
      expect(mustWork, 'a truncation within rollback was refused').toBe(false);
      return; // Nothing has changed: the next append is held to the rows as they are.
    }
    one.rows = one.rows.map((row, b) => row.slice(0, wanted[b]));
  }
}

describe('groups', () => {
  it('are made of the rows they are to be made of, however the tokens come and go', () =>
    holds(scenarios, ({ actions, ...spec }) =>
      leakFree(async (backend) => {
        const probe = new Probe(
          backend,
          (site) => groups(site, layingOut(spec.shape)),
          spec.rollback,
        );
        const world = new World(probe, spec);
        for (const action of actions) await world.act(action);
        for (const one of world.watched)
          await world.append(
            one,
            one.rows.map(() => 3),
          );
        for (const { sequence } of world.watched) sequence.dispose();
      }),
    ));

  const tokens = (count: number, start = 1): number[] =>
    Array.from({ length: count }, (_, i) => start + i);
  const pairs: Shape = { input: 'raw', stride: 2, length: 2, overlap: 1, partial: false };

  it('let raw rows go that neither a coming group nor a truncation needs', () =>
    leakFree(async (backend) => {
      const rollback = 5;
      const probe = new Probe(backend, (site) => groups(site, layingOut(pairs)), rollback);
      const sequence = probe.sequence(1);
      const raw: number[] = [];
      for (let token = 1; token <= 200; token++) {
        const part = await probe.append(sequence, [[token]]);
        raw.push(part.bytes - Math.ceil(part.rows.lengths[0] / 4) * 4 * 3 * RAW_WIDTH * 4);
      }
      // Of rows up to 5 + 3 back, the pages of 4 that they touch, and the page that has just ended.
      expect(Math.max(...raw.slice(20))).toBeLessThanOrEqual(4 * 4 * RAW_WIDTH * 4);
      sequence.dispose();
    }));

  it('can go back `rollback` tokens; further is refused and changes nothing', () =>
    leakFree(async (backend) => {
      const probe = new Probe(backend, (site) => groups(site, layingOut(pairs)), 6);
      const sequence = probe.sequence(1);
      await probe.append(sequence, [tokens(40)]);
      expect(() => sequence.truncate(33)).toThrow(
        errorWith({ code: 'ROLLBACK_EXCEEDED', expected: 34, actual: 33 }),
      );
      expect(sequence.length).toBe(40);
      sequence.truncate(34);
      const part = await probe.append(sequence, [tokens(4, 100)]);
      const expected = expectedGroups([...tokens(34), ...tokens(4, 100)], pairs);
      expect(await contentsOf(part.rows)).toEqual([[expected]]);
      sequence.dispose();
    }));

  it('refuse sizes that are no sizes', () =>
    leakFree((backend) => {
      for (const wrong of [{ stride: 0 }, { stride: 1.5 }, { length: 0 }, { overlap: -1 }]) {
        const probe = new Probe(
          backend,
          (site) => groups(site, layingOut({ ...pairs, ...wrong })),
          0,
        );
        expect(() => probe.sequence(1)).toThrow(
          errorWith({ name: 'InputError', code: 'INVALID_OPTION' }),
        );
      }
    }));

  it('say what is missing', () =>
    leakFree(async (backend) => {
      let early: unknown;
      const probe = new Probe(
        backend,
        (site) => {
          const part = groups(site, layingOut(pairs));
          try {
            void part.rows;
          } catch (error) {
            early = error;
          }
          return part;
        },
        0,
      );
      const sequence = probe.sequence(1);
      expect(early).toMatchObject({ code: 'MISSING_INPUT' });
      const part = await probe.append(sequence, [[1]]);
      expect(part.rows.lengths).toEqual([0]); // no group is complete, yet the entries can be read
      sequence.dispose();
    }));
});
