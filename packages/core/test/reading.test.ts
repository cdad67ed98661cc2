import {
  all,
  countOf,
  fromQuery,
  intervalsAt,
  ranges,
  type Reader,
  reference,
  type Selection,
  spansOf,
  type Tensor,
  unite,
} from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { holds, oneOf, whole } from './support/property.js';

const BATCH = 2;
const KV_HEADS = 2;
const TOKENS = 6;
const ENTRIES = 24;

/** Lists of ids by batch row, head and query block, as an author would write them down. */
interface Lists {
  readonly block: number;
  readonly queryBlock: number;
  readonly heads: number;
  readonly ids: readonly (readonly number[])[];
}

const lists = fc
  .tuple(oneOf(1, 3, 4), oneOf(1, 2, 4, 6), oneOf(1, KV_HEADS))
  .chain(([block, queryBlock, heads]) => {
    const count = BATCH * heads * Math.ceil(TOKENS / queryBlock);
    const id = whole(0, Math.ceil(ENTRIES / block) + 1);
    const ids = fc.uniqueArray(id, { maxLength: 5 }).map((some) => some.sort((a, b) => a - b));
    return fc
      .array(ids, { minLength: count, maxLength: count })
      .map((ids): Lists => ({ block, queryBlock, heads, ids }));
  });
const query = fc.record({
  row: whole(0, BATCH - 1),
  token: whole(0, TOKENS - 1),
  position: whole(0, ENTRIES),
  visible: whole(0, ENTRIES),
});

describe('spansOf', () => {
  const backend = reference();
  const contents = new Map<Tensor, Int32Array>();
  const numbers = (tensor: Tensor<'i32'>): Int32Array => contents.get(tensor)!;
  const integers = (data: Int32Array, shape: number[]): Tensor<'i32'> => {
    const tensor = backend.tensor<'i32'>(data, { shape, dtype: 'i32' });
    contents.set(tensor, data);
    return tensor;
  };

  /** The lists as a selection; ids past the counts are rubbish and must not matter. */
  function select({ block, queryBlock, heads, ids }: Lists): Selection {
    const capacity = 6;
    const shape = [BATCH, heads, Math.ceil(TOKENS / queryBlock)];
    const data = new Int32Array(ids.length * capacity).fill(1);
    ids.forEach((list, i) => data.set(list, i * capacity));
    const listed = {
      ids: integers(data, [...shape, capacity]),
      counts: integers(
        Int32Array.from(ids, (list) => list.length),
        shape,
      ),
      queryBlock,
    };
    return block === 1
      ? { kind: 'tokens', ...listed }
      : { kind: 'blocks', blockSize: block, ...listed };
  }

  /** Whether the lists name an entry for a query. */
  function names({ block, queryBlock, heads, ids }: Lists, kvHead: number, entry: number) {
    return ({ row, token }: { row: number; token: number }): boolean => {
      const head = heads === 1 ? 0 : kvHead;
      const list = (row * heads + head) * Math.ceil(TOKENS / queryBlock);
      return ids[list + Math.floor(token / queryBlock)].includes(Math.floor(entry / block));
    };
  }

  const entriesOf = (selection: Selection, at: Reader, kvHead: number): number[] =>
    spansOf(selection, at, kvHead, numbers).flatMap(([start, end]) =>
      Array.from({ length: end - start }, (_, i) => start + i),
    );
  const visibleEntries = (visible: number, isRead: (entry: number) => boolean): number[] =>
    Array.from({ length: visible }, (_, entry) => entry).filter(isRead);

  it('reads what the lists name and the query sees, in order, each entry once', () =>
    holds(fc.tuple(lists, query, whole(0, KV_HEADS - 1)), ([given, at, kvHead]) => {
      const expected = visibleEntries(at.visible, (entry) => names(given, kvHead, entry)(at));
      expect(entriesOf(select(given), at, kvHead)).toEqual(expected);
      expect(countOf(spansOf(select(given), at, kvHead, numbers))).toBe(expected.length);
    }));

  it('reads what any part of a united selection reads', () =>
    holds(fc.tuple(lists, lists, query, whole(0, KV_HEADS - 1)), ([a, b, at, kvHead]) => {
      const recent = ranges([0, 1], [fromQuery(-2), fromQuery(1)]);
      const spans = intervalsAt(recent.ranges, at.position, at.visible);
      const expected = visibleEntries(
        at.visible,
        (entry) =>
          names(a, kvHead, entry)(at) ||
          names(b, kvHead, entry)(at) ||
          spans.some(([start, end]) => start <= entry && entry < end),
      );
      expect(entriesOf(unite(select(a), recent, select(b)), at, kvHead)).toEqual(expected);
    }));

  it('reads all that is visible', () => {
    const at = { row: 0, token: 0, position: 3, visible: 4 };
    expect(spansOf(all, at, 0, numbers)).toEqual([[0, 4]]);
    expect(spansOf(all, { ...at, visible: 0 }, 0, numbers)).toEqual([]);
  });
});
