import {
  all,
  type AttendRequest,
  type Backend,
  type BlocksSelection,
  type Entries,
  fromQuery,
  ranges,
  reference,
  type Selection,
  type TokensSelection,
  unite,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { hasAdapter, limitedTo, NO_ADAPTER, onOneDevice } from './support/backends.js';

/** Beyond testkit's contexts of some forty entries: what makes other kernels, or several, of a call. */
interface Case {
  readonly heads: number;
  readonly kvHeads: number;
  readonly tokens: number;
  readonly entries: number;
  readonly width: number;
  readonly pageSize: number;
  readonly selection: (backend: Backend) => Selection;
}

const BASE: Case = {
  ...{ heads: 2, kvHeads: 1, tokens: 1, entries: 1500, width: 16, pageSize: 64 },
  selection: () => all,
};

const wave = (size: number, step: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(i * step));

/** Pages in reverse order. */
function entriesOf(
  backend: Backend,
  { kvHeads, entries, width, pageSize }: Case,
  step: number,
): Entries {
  const pages = Math.ceil(entries / pageSize);
  const shape = [pages, kvHeads, pageSize, width];
  const storage = backend.tensor(wave(pages * kvHeads * pageSize * width, step), { shape });
  const table = Array.from({ length: pages }, (_, i) => pages - 1 - i);
  return { storage, pageSize, tables: [table], lengths: [entries] };
}

/** For each so many queries of 90, three entries below 150. */
function tokensIn(backend: Backend, [queryBlock, stride]: [number, number]): TokensSelection {
  const blocks = Math.ceil(90 / queryBlock);
  const ids = Int32Array.from({ length: blocks * 3 }, (_, i) => (i % 3) * 50 + ((i * stride) % 47));
  return {
    ...{ kind: 'tokens', queryBlock },
    ids: backend.tensor(ids, { shape: [1, 1, blocks, 3], dtype: 'i32' }),
    counts: backend.tensor(new Int32Array(blocks).fill(3), {
      ...{ shape: [1, 1, blocks], dtype: 'i32' },
    }),
  };
}

/** For each 4 queries of 90 a block of 16 entries. */
function blocksIn(backend: Backend): BlocksSelection {
  const ids = Int32Array.from({ length: 23 }, (_, i) => i % 9);
  return {
    ...{ kind: 'blocks', queryBlock: 4, blockSize: 16 },
    ids: backend.tensor(ids, { shape: [1, 1, 23, 1], dtype: 'i32' }),
    counts: backend.tensor(new Int32Array(23).fill(1), { shape: [1, 1, 23], dtype: 'i32' }),
  };
}

async function attend(backend: Backend, one: Case, options: Partial<AttendRequest> = {}) {
  const { heads, tokens, entries, width } = one;
  const query = wave(heads * tokens * width, 0.7);
  const result = backend.attend({
    query: backend.tensor(query, { shape: [1, heads, tokens, width] }),
    keys: entriesOf(backend, one, 0.11),
    values: entriesOf(backend, one, 0.3),
    valueDim: width,
    selection: one.selection(backend),
    visible: fromQuery(1),
    positions: { first: [entries - tokens], counts: [tokens], tokens },
    scale: 0.25,
    ...options,
  });
  const { output, logSumExp, counts } = result;
  return { output: await output.data(), lse: await logSumExp.data(), counts: await counts.data() };
}

async function assertSame(backend: Backend, one: Case): Promise<void> {
  const [actual, expected] = [await attend(backend, one), await attend(reference(), one)];
  expect([...actual.counts]).toEqual([...expected.counts]);
  actual.lse.forEach((value, i) => expect(value).toBeCloseTo(expected.lse[i], 4));
  actual.output.forEach((value, i) => expect(value).toBeCloseTo(expected.output[i], 4));
}

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'attend, in Node' : `attend, in Node (${NO_ADAPTER})`, () => {
  it('shares the entries of a decoder step, and joins what came of them', async () =>
    assertSame(await onOneDevice(), BASE));

  it('takes many rows at a time', async () =>
    assertSame(await onOneDevice(), { ...BASE, tokens: 70, entries: 150 }));

  it('reads an interval from where it begins for the first query to where it ends for the last', async () =>
    assertSame(await onOneDevice(), {
      ...{ ...BASE, tokens: 70, entries: 150 },
      selection: () => ranges([0, 4], [fromQuery(-15), fromQuery(1)]),
    }));

  it('reads keys and values larger than can be bound part by part', async () => {
    const { device } = await onOneDevice();
    const limited = limitedTo({ maxStorageBufferBindingSize: 32 << 10 }, device);
    await assertSame(limited, { ...BASE, entries: 1100 });
  });

  it.each<[string, (backend: Backend) => Selection]>([
    ['all', () => all],
    ['tokens', (on) => tokensIn(on, [4, 80])],
    ['both lists and ranges', (on) => unite(ranges([0, 3]), tokensIn(on, [3, 90]), blocksIn(on))],
  ])('attends for more queries than can be bound, to %s', async (_, selection) => {
    const { device } = await onOneDevice();
    const limited = limitedTo({ maxStorageBufferBindingSize: 8 << 10 }, device);
    await assertSame(limited, { ...BASE, tokens: 90, entries: 240, selection });
  });

  it('needs room for one query at least', async () => {
    const { device } = await onOneDevice();
    const limited = limitedTo({ maxStorageBufferBindingSize: 256 }, device);
    await expect(attend(limited, { ...BASE, heads: 5 })).rejects.toThrow(
      'maxStorageBufferBindingSize',
    );
  });

  it.each([
    [Infinity, NaN],
    [1e38, 1e38],
  ])('never touches values that a query does not see: %d and %d', async (twenty, thirty) => {
    const one: Case = { ...BASE, tokens: 40, entries: 40, pageSize: 40 };
    const values = wave(40 * 16, 0.3);
    values.fill(twenty, 20 * 16, 20 * 16 + 3);
    values.fill(thirty, 30 * 16, 31 * 16);
    const run = (backend: Backend) => {
      const storage = backend.tensor(values, { shape: [1, 1, 40, 16] });
      return attend(backend, one, {
        values: { storage, pageSize: 40, tables: [[0]], lengths: [40] },
      });
    };
    const [actual, expected] = [await run(await onOneDevice()), await run(reference())];
    expected.output.forEach((value, i) => {
      if (Math.abs(value) < 1e3) expect(actual.output[i], `element ${i}`).toBeCloseTo(value, 4);
      else if (!Number.isFinite(value)) expect(actual.output[i], `element ${i}`).toBe(value);
    });
  });

  it('refuses to read what was freed', async () => {
    const backend = await onOneDevice();
    const keys = entriesOf(backend, BASE, 0.11);
    const freed = { ...keys, tables: [[-1, ...keys.tables[0].slice(1)]] };
    await expect(attend(backend, BASE, { keys: freed })).rejects.toMatchObject({
      code: 'ENTRY_FREED',
    });
  });
});
