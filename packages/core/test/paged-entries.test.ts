import { type Backend, PagedEntries, type Tensor } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { contentsOf } from './support/entries.js';
import { leakFree } from './support/leaks.js';
import { ListRow } from './support/list-row.js';
import { holds, oneOf, whole } from './support/property.js';

const HEADS = 2;
const WIDTH = 2;

/** A store, and the lists that it must be equal to. */
interface Store {
  readonly entries: PagedEntries;
  readonly rows: readonly ListRow[];
}

interface Action {
  readonly kind: 'append' | 'write' | 'truncate' | 'free' | 'fork' | 'dispose';
  /** Which of the stores. */
  readonly which: number;
  /** A place in each batch row, taken modulo its length. */
  readonly at: readonly number[];
  readonly counts: readonly number[];
}

const scenarios = fc
  .record({ batch: whole(1, 3), pageSize: oneOf(1, 2, 4, 5), capacity: oneOf(undefined, 7) })
  .chain((sizes) => {
    const each = fc.array(whole(0, 12), { minLength: sizes.batch, maxLength: sizes.batch });
    const kind = oneOf<Action['kind']>(
      ...([
        'append',
        'append',
        'append',
        'write',
        'truncate',
        'free',
        'free',
        'fork',
        'dispose',
      ] as const),
    );
    const action = fc.record({ kind, which: whole(0, 9), at: each, counts: each });
    return fc
      .array(action, { minLength: 8, maxLength: 30 })
      .map((actions) => ({ ...sizes, actions }));
  });

const code = (number: number, head: number, channel: number): number =>
  number * 10 + head * 2 + channel;

/** `[batch, heads, T, width]`: numbers, told apart by head and channel; NaN behind a shorter row. */
function tensorOf(backend: Backend, numbers: readonly (readonly number[])[]): Tensor {
  const tokens = Math.max(1, ...numbers.map((row) => row.length));
  const shape = [numbers.length, HEADS, tokens, WIDTH];
  const data = Float32Array.from({ length: numbers.length * HEADS * tokens * WIDTH }, (_, i) => {
    const [channel, token] = [i % WIDTH, Math.floor(i / WIDTH) % tokens];
    const head = Math.floor(i / (WIDTH * tokens)) % HEADS;
    return code(numbers[Math.floor(i / (WIDTH * tokens * HEADS))][token] ?? NaN, head, channel);
  });
  return backend.tensor(data, { shape });
}

async function expectEqual({ entries, rows }: Store): Promise<void> {
  const expected = rows.map(({ contents }) =>
    Array.from({ length: HEADS }, (_, head) =>
      contents.map((number) =>
        number === undefined ? undefined : [code(number, head, 0), code(number, head, 1)],
      ),
    ),
  );
  expect(entries.lengths).toEqual(rows.map((row) => row.length));
  expect(await contentsOf(entries)).toEqual(expected);
  const { storage, tables } = entries;
  const held = tables.flat().filter((page) => page >= 0).length;
  expect(entries.bytes).toBe((held * storage.bytes) / storage.shape[0]);
}

/** Stores that share pages, and numbers that are never the same. */
class World {
  readonly stores: Store[];
  readonly #backend: Backend;
  #last = 0;

  constructor(
    backend: Backend,
    spec: { batch: number; pageSize: number; capacity: number | undefined },
  ) {
    const { capacity, ...sizes } = spec;
    const shape = { ...sizes, heads: HEADS, width: WIDTH, dtype: 'f32' as const };
    const entries = PagedEntries.create(backend, capacity ? { ...shape, capacity } : shape);
    const rows = Array.from({ length: spec.batch }, () => new ListRow(spec.pageSize));
    this.stores = [{ entries, rows }];
    this.#backend = backend;
  }

  act({ kind, which, at, counts }: Action): void {
    const store = this.stores[which % this.stores.length];
    const { entries, rows } = store;
    const places = rows.map(({ length }, row) => at[row] % (length + 1));
    switch (kind) {
      case 'append':
        return this.#write(
          store,
          rows.map((row) => row.length),
          counts,
        );
      case 'write':
        return this.#write(store, places, counts);
      case 'truncate':
        entries.truncate(places);
        return rows.forEach((row, b) => row.truncate(places[b]));
      case 'free':
        return rows.forEach((row, b) => {
          const end = Math.min(row.length, places[b] + counts[b]);
          entries.free(b, places[b], end);
          row.free(places[b], end);
        });
      case 'fork':
        this.stores.push({ entries: entries.fork(), rows: rows.map((row) => row.fork()) });
        return;
      case 'dispose':
        if (this.stores.length === 1) return;
        this.stores.splice(this.stores.indexOf(store), 1);
        entries.dispose();
    }
  }

  #write({ entries, rows }: Store, first: readonly number[], counts: readonly number[]): void {
    const numbers = counts.map((count) => Array.from({ length: count }, () => ++this.#last));
    const tensor = tensorOf(this.#backend, numbers);
    if (first.every((place, b) => place === rows[b].length)) entries.append(tensor, counts);
    else entries.write(tensor, first, counts);
    rows.forEach((row, b) => row.write(first[b], numbers[b]));
    tensor.dispose();
  }
}

describe('PagedEntries', () => {
  it('is a list of each row, whatever happens to its forks', () =>
    holds(scenarios, ({ actions, ...spec }) =>
      leakFree(async (backend) => {
        const world = new World(backend, spec);
        for (const action of actions) {
          world.act(action);
          for (const store of world.stores) await expectEqual(store);
        }
        for (const { entries } of world.stores) entries.dispose();
      }),
    ));

  it('knows the bytes it holds, a scale for each i8 row included', () =>
    leakFree((backend) => {
      const spec = { batch: 2, heads: HEADS, width: WIDTH, pageSize: 4 };
      for (const [dtype, row] of [
        ['f32', 8],
        ['f16', 4],
        ['i8', 6],
      ] as const) {
        const entries = PagedEntries.create(backend, { ...spec, dtype });
        const tensor = tensorOf(backend, [[1, 2, 3, 4, 5], [6]]);
        entries.append(tensor, [5, 1]);
        expect(entries.bytes).toBe((2 + 1) * 4 * HEADS * row);
        for (const one of [entries, tensor]) one.dispose();
      }
    }));
});
