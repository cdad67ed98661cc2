import { type Backend, PagedEntries } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { leakFree } from './support/leaks.js';
import { holds, whole } from './support/property.js';
import { normals } from './support/random.js';

const PAGE = 4;
const SPEC = { batch: 1, heads: 2, width: 3, dtype: 'f32', pageSize: PAGE } as const;

/** Appends `count` tokens to a store of one row. */
function grow(backend: Backend, entries: PagedEntries, count: number): void {
  const rows = backend.tensor(normals(count * 6, count), { shape: [1, 2, count, 3] });
  entries.append(rows, [count]);
  rows.dispose();
}

const pagesOf = (entries: PagedEntries): number => entries.storage.shape[0];

describe('storage of pages', () => {
  it('doubles when it is full', () =>
    leakFree((backend) => {
      const entries = PagedEntries.create(backend, SPEC);
      const seen = new Set<number>();
      for (let token = 0; token < 9 * PAGE; token++) {
        grow(backend, entries, 1);
        seen.add(pagesOf(entries));
      }
      expect([...seen]).toEqual([1, 2, 4, 8, 16]);
      entries.dispose();
    }));

  it('is there at once with a capacity, and does not move', () =>
    leakFree((backend) => {
      const entries = PagedEntries.create(backend, { ...SPEC, batch: 2, capacity: 10 });
      const { storage } = entries;
      expect(storage.shape).toEqual([2 * 3, 2, PAGE, 3]);
      const rows = backend.zeros({ shape: [2, 2, 10, 3] });
      entries.append(rows, [10, 10]);
      expect(entries.storage).toBe(storage);
      for (const one of [rows, entries]) one.dispose();
    }));

  it('holds a growing row in ascending pages, which are contiguous memory', () =>
    leakFree((backend) => {
      const entries = PagedEntries.create(backend, SPEC);
      for (let i = 0; i < 5; i++) grow(backend, entries, PAGE);
      expect(entries.tables).toEqual([[0, 1, 2, 3, 4]]);
      entries.dispose();
    }));

  it('uses freed pages again, the lowest first, and stays as large as it was', () =>
    leakFree((backend) => {
      const entries = PagedEntries.create(backend, { ...SPEC, capacity: 4 * PAGE });
      for (let token = 0; token < 40 * PAGE; token++) {
        grow(backend, entries, 1);
        entries.free(0, PAGE, entries.lengths[0] - PAGE); // the first page and the newest live
        expect(pagesOf(entries)).toBe(4);
      }
      expect(entries.tables[0].filter((page) => page >= 0)).toHaveLength(2);
      expect(entries.bytes).toBe(2 * PAGE * 2 * 3 * 4);
      entries.dispose();
    }));

  it('lives until the last fork is gone', () =>
    leakFree((backend) => {
      const parent = PagedEntries.create(backend, SPEC);
      grow(backend, parent, 2 * PAGE);
      const fork = parent.fork();
      parent.dispose();
      parent.dispose();
      expect(fork.storage.disposed).toBe(false);
      expect(fork.lengths).toEqual([2 * PAGE]);
      fork.dispose();
      expect(fork.storage.disposed).toBe(true);
    }));

  it('shares pages with a fork until one side writes to them', () =>
    leakFree((backend) => {
      const parent = PagedEntries.create(backend, { ...SPEC, capacity: 8 * PAGE });
      grow(backend, parent, 2 * PAGE + 1);
      const fork = parent.fork();
      expect(fork.tables).toEqual(parent.tables);
      grow(backend, fork, 1);
      const [[own], [its]] = [parent.tables, fork.tables];
      expect(its.slice(0, 2)).toEqual(own.slice(0, 2));
      expect(its[2]).not.toBe(own[2]); // copied for the fork ...
      grow(backend, parent, 1);
      expect(parent.tables[0][2]).toBe(own[2]); // ... so that the parent may go on in its own
      for (const one of [parent, fork]) one.dispose();
    }));
});

describe('freeing a stretch', () => {
  it('frees the pages that lie inside it entirely, once', () =>
    leakFree((backend) => {
      const entries = PagedEntries.create(backend, SPEC);
      grow(backend, entries, 6 * PAGE);
      expect(entries.free(0, 1, 3 * PAGE + 2)).toBe(true);
      expect(entries.tables[0].map((page) => page >= 0)).toEqual([
        true,
        false,
        false,
        true,
        true,
        true,
      ]);
      expect(entries.free(0, 1, 3 * PAGE + 2)).toBe(false);
      expect(entries.free(0, 3, 3)).toBe(false);
      entries.dispose();
    }));

  it('frees what lies between stretches that were freed before', () =>
    leakFree((backend) => {
      const entries = PagedEntries.create(backend, SPEC);
      grow(backend, entries, 6 * PAGE);
      entries.free(0, 0, PAGE);
      entries.free(0, 3 * PAGE, 4 * PAGE);
      expect(entries.free(0, 0, 5 * PAGE)).toBe(true);
      expect(entries.tables[0].filter((page) => page >= 0)).toHaveLength(1);
      entries.dispose();
    }));

  it('goes on behind freed pages, and skips writes into them', () =>
    leakFree((backend) => {
      const entries = PagedEntries.create(backend, SPEC);
      grow(backend, entries, 3 * PAGE);
      entries.free(0, 0, 2 * PAGE);
      entries.truncate([2 * PAGE - 1]); // the length lies in a freed page
      grow(backend, entries, 2);
      expect(entries.lengths).toEqual([2 * PAGE + 1]);
      expect(entries.tables[0].map((page) => page >= 0)).toEqual([false, false, true]);
      entries.dispose();
    }));

  it('gives the lowest free pages first, in whatever order they came back', () =>
    holds(fc.uniqueArray(whole(0, 29), { minLength: 1 }), (freed) =>
      leakFree((backend) => {
        const entries = PagedEntries.create(backend, { ...SPEC, capacity: 30 * PAGE });
        grow(backend, entries, 30 * PAGE);
        for (const page of freed) entries.free(0, page * PAGE, (page + 1) * PAGE);
        grow(backend, entries, freed.length * PAGE);
        expect(entries.tables[0].slice(30)).toEqual([...freed].sort((a, b) => a - b));
        expect(pagesOf(entries)).toBe(30);
        entries.dispose();
      }),
    ));

  it('takes very many pages back at once', () =>
    leakFree((backend) => {
      const count = 200_000;
      const spec = { ...SPEC, heads: 1, width: 1, pageSize: 1, capacity: count };
      const entries = PagedEntries.create(backend, spec);
      const rows = backend.zeros({ shape: [1, 1, count, 1] });
      for (let round = 0; round < 2; round++) {
        entries.append(rows, [count]);
        expect(entries.bytes).toBe(count * 4);
        entries.truncate([0]);
        expect(entries.bytes).toBe(0);
      }
      for (const one of [rows, entries]) one.dispose();
    }));
});
