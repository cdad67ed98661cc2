import { all, entriesOf, fromQuery } from '@jit-attention/core';
import fc from 'fast-check';

import type { Results, Table } from './support/agree.js';
import { seeds, upTo } from './support/arbitraries.js';
import { extremes } from './support/extremes.js';
import { operation } from './support/operation.js';

interface Extreme {
  readonly seed: number;
  readonly share: number;
  readonly entries: number;
  readonly heads: number;
  readonly tokens: number;
}

// Few rows are attended to one by one, many side by side.
operation(
  'attend, with infinite and undefined logits',
  fc.record({
    seed: seeds,
    share: fc.constantFrom(0.0005, 0.01, 0.3),
    entries: upTo(200),
    heads: upTo(3),
    tokens: fc.oneof(upTo(2), upTo(30)),
  }),
  attended,
);

/** Queries that end in the middle of the entries; some of what they do not see is undefined, too. */
function attended(table: Table, one: Extreme): Results {
  const { entries, heads, tokens, seed } = one;
  const { output, logSumExp, counts } = table.backend.attend({
    query: extremes(table, one, [1, heads, tokens, 8], 1),
    keys: entriesOf(extremes(table, one, [1, 1, entries, 8], 2)),
    values: entriesOf(table.normal([1, 1, entries, 8], seed)),
    valueDim: 8,
    selection: all,
    visible: fromQuery(1),
    positions: { first: [entries >> 1], counts: [tokens], tokens },
    scale: 0.5,
  });
  return { output, logSumExp, counts };
}
