import { entriesOf, fromQuery, topk, type TokensSelection } from '@jit-attention/core';

import { Bench } from '../../src/backend/bench.js';
import type { BackendSuite } from '../../src/backend/suite.js';
import { onBackend, withoutLeaks } from '../../src/backends.js';
import { assertSame } from '../../src/compare.js';
import { assertFails } from '../../src/failure.js';
import type { Runner } from '../../src/runner.js';
import { normal } from '../operations/support.js';

/** Eight entries on pages of two, of which the second was freed. */
function select(bench: Bench, within?: TokensSelection): TokensSelection {
  const keys = {
    storage: normal(bench, [4, 1, 2, 8], 1),
    pageSize: 2,
    tables: [[3, -1, 0, 1]],
    lengths: [8],
  };
  return bench.backend.select({
    score: { kind: 'dot', query: normal(bench, [1, 1, 1, 8], 2), keys, scale: 1 },
    over: entriesOf(bench.keep(bench.backend.zeros({ shape: [1, 1, 8, 1] }))),
    positions: { first: [7], counts: [1], tokens: 1 },
    visible: fromQuery(1),
    within,
    pick: topk(3),
  }) as TokensSelection;
}

function tokens(bench: Bench, ids: readonly number[]): TokensSelection {
  return {
    kind: 'tokens',
    // What follows the ids that count is nobody's.
    ids: bench.integers(Int32Array.from([...ids, 2]), [1, 1, 1, ids.length + 1]),
    counts: bench.integers(Int32Array.of(ids.length), [1, 1, 1]),
    queryBlock: 1,
  };
}

/**
 * What a freed page held. Whoever knows the candidates refuses those that it held, as the f64 reference does; a device
 * that alone knows them, which `leavesOut`, picks from the others.
 */
export function testHeld({ it }: Runner, { factory }: BackendSuite, leavesOut: boolean): void {
  const onBench = (name: string, body: (bench: Bench) => Promise<void>): void => {
    it(name, () =>
      onBackend(factory, (backend) =>
        withoutLeaks(backend, async () => {
          const bench = new Bench(backend);
          await body(bench);
          bench.clear();
        }),
      ),
    );
  };
  onBench('refuses to score what a freed page held', (bench) =>
    assertFails('ENTRY_FREED', () => select(bench)),
  );
  onBench('scores candidates of other pages', (bench) => picks(bench, [0, 1, 6], [0, 1, 6]));
  onBench('never picks candidates that it held', (bench) =>
    leavesOut
      ? picks(bench, [1, 3, 5], [1, 5])
      : assertFails('ENTRY_FREED', () => select(bench, tokens(bench, [1, 3, 5]))),
  );
}

async function picks(
  bench: Bench,
  candidates: readonly number[],
  expected: readonly number[],
): Promise<void> {
  const { ids, counts } = select(bench, tokens(bench, candidates));
  const [count] = await bench.keep(counts).data();
  assertSame('ids', (await bench.keep(ids).data()).subarray(0, count), Int32Array.from(expected));
}
