import { assertFails } from '@jit-attention/testkit';
import {
  type Backend,
  entriesOf,
  fromQuery,
  topk,
  type TokensSelection,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { Table } from './support/agree.js';
import { onCpu } from './support/backends.js';

/** Eight entries on pages of two, of which the second was freed. */
function select(table: Table, within?: TokensSelection): TokensSelection {
  const keys = {
    storage: table.normal([4, 1, 2, 8], 1),
    pageSize: 2,
    tables: [[3, -1, 0, 1]],
    lengths: [8],
  };
  return table.backend.select({
    score: { kind: 'dot', query: table.normal([1, 1, 1, 8], 2), keys, scale: 1 },
    over: entriesOf(table.zeros([1, 1, 8, 1])),
    positions: { first: [7], counts: [1], tokens: 1 },
    visible: fromQuery(1),
    within,
    pick: topk(3),
  }) as TokensSelection;
}

function tokens(table: Table, ids: readonly number[]): TokensSelection {
  return {
    kind: 'tokens',
    // What follows the ids that count is nobody's.
    ids: table.integers(Int32Array.from([...ids, 2]), [1, 1, 1, ids.length + 1]),
    counts: table.integers(Int32Array.of(ids.length), [1, 1, 1]),
    queryBlock: 1,
  };
}

const onTable = (body: (table: Table) => void | Promise<void>): Promise<void> =>
  onCpu({ threads: 1 }, async (backend: Backend) => {
    const table = new Table(backend);
    await body(table);
    table.clear();
    expect(backend.memory().tensors).toBe(0);
  });

describe('select, where a page was freed', () => {
  it('refuses to score what it held', () =>
    onTable((table) => assertFails('ENTRY_FREED', () => select(table))));

  it('refuses candidates that it held', () =>
    onTable((table) => assertFails('ENTRY_FREED', () => select(table, tokens(table, [1, 3, 5])))));

  it('scores other candidates', () =>
    onTable(async (table) => {
      const { ids, counts } = select(table, tokens(table, [0, 1, 6]));
      table.keep(counts);
      expect([...(await table.keep(ids).data())]).toEqual([0, 1, 6]);
    }));
});
