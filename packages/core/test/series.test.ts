import { type IndexSite, type Series, series, type SeriesOptions } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { contentsOf } from './support/entries.js';
import { leakFree } from './support/leaks.js';
import { Probe } from './support/probe.js';

const probing = (options: SeriesOptions) => (backend: ConstructorParameters<typeof Probe>[0]) =>
  new Probe<Series>(backend, (site) => series(site, options), 256);

describe('series', () => {
  it('keeps a row a token: unequal rows, several calls, back and on again', () =>
    leakFree(async (backend) => {
      const probe = probing({ input: 'raw' })(backend);
      const sequence = probe.sequence(2);
      await probe.append(sequence, [[1, 2, 3, 4, 5, 6], [7]]);
      await probe.append(sequence, [[], [8, 9]]);
      sequence.truncate([4, 2]);
      const part = await probe.append(sequence, [[10], []]);
      const rows = (numbers: number[]): number[][][] => [numbers.map((n) => [n, -n])];
      expect(await contentsOf(part.rows)).toEqual([rows([1, 2, 3, 4, 10]), rows([7, 8])]);
      expect(part.bytes).toBe((2 + 1) * 4 * 2 * 4);
      sequence.dispose();
    }));

  it("keeps what `make` makes of the cache's own keys, told where they start", () =>
    leakFree(async (backend) => {
      const firsts: (readonly number[])[] = [];
      const probe = probing({
        input: 'keys',
        make: (keys, { ops, first }) => {
          firsts.push([...first]);
          return ops.slice(keys, { axis: 3, start: 1, end: 2 });
        },
      })(backend);
      const sequence = probe.sequence(2);
      await probe.append(sequence, [[1, 2], [3]]);
      const part = await probe.append(sequence, [[4], [5, 6]]);
      expect(await contentsOf(part.rows)).toEqual([[[[-1], [-2], [-4]]], [[[-3], [-5], [-6]]]]);
      expect(firsts).toEqual([
        [0, 0],
        [2, 1],
      ]);
      sequence.dispose();
    }));

  it('forks: neither side sees what the other appends', () =>
    leakFree(async (backend) => {
      const probe = probing({ input: 'raw' })(backend);
      const parent = probe.sequence(1);
      await probe.append(parent, [[1, 2]]);
      const fork = parent.fork();
      const its = await probe.append(fork, [[3]]);
      const own = await probe.append(parent, [[4, 5]]);
      const first = async (part: Series): Promise<unknown> =>
        (await contentsOf(part.rows))[0][0].map((row) => row?.[0]);
      expect(await first(its)).toEqual([1, 2, 3]);
      expect(await first(own)).toEqual([1, 2, 4, 5]);
      parent.dispose();
      expect(await first(its)).toEqual([1, 2, 3]);
      fork.dispose();
    }));

  it('lets go what a window has passed, and goes back `rollback` entries, as a fork does', () =>
    leakFree(async (backend) => {
      const [window, rollback] = [3, 5];
      const part = (site: IndexSite): Series => series(site, { input: 'raw', window });
      const probe = new Probe<Series>(backend, part, rollback);
      const sequence = probe.sequence(2);
      const numbers = Array.from({ length: 16 }, (_, i) => i);
      const { rows } = await probe.append(sequence, [numbers, [0, 1]]);
      // At 16 - 5 tokens a query reads from entry 9 on; pages hold 4.
      const [long, short] = await contentsOf(rows);
      expect(long[0].map((row) => row?.[0])).toEqual([
        ...new Array<undefined>(8).fill(undefined),
        ...numbers.slice(8),
      ]);
      expect(short[0]).toHaveLength(2);

      const fork = sequence.fork();
      for (const one of [sequence, fork]) {
        expect(() => one.truncate([10, 0])).toThrow(
          expect.objectContaining({ code: 'ROLLBACK_EXCEEDED', expected: 11, actual: 10 }),
        );
        one.truncate([11, 0]);
        expect(one.lengths).toEqual([11, 0]);
        one.dispose();
      }
    }));

  it('stores as it is told to', () =>
    leakFree(async (backend) => {
      const probe = probing({ input: 'raw', dtype: 'i8' })(backend);
      const sequence = probe.sequence(1);
      const part = await probe.append(sequence, [[127, 254]]);
      expect(part.rows.storage.dtype).toBe('i8');
      expect(await contentsOf(part.rows)).toEqual([
        [
          [
            [127, -127],
            [254, -254],
          ],
        ],
      ]);
      sequence.dispose();
    }));

  it('names the input that the strategy does not require', () =>
    leakFree(async (backend) => {
      const probe = probing({ input: 'rows' })(backend);
      const sequence = probe.sequence(1);
      await expect(probe.append(sequence, [[1]])).rejects.toThrowErrorMatchingInlineSnapshot(`
        [InputError: index: expected an auxiliary tensor 'rows' (per: 'key'), got [raw, keys, values]
          hint: declare 'rows' in the strategy's \`requires\`]
      `);
      expect(sequence.length).toBe(0);
      sequence.dispose();
    }));
});
