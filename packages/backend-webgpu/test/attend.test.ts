import {
  all,
  type Backend,
  fromQuery,
  ranges,
  reference,
  type Selection,
  unite,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import {
  assertSame,
  attend,
  BASE,
  blocksIn,
  type Case,
  entriesOf,
  tokensIn,
  wave,
} from './support/attention.js';
import { hasAdapter, limitedTo, NO_ADAPTER, onOneDevice } from './support/backends.js';

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

  it('reads an interval that has no beginning and no end', async () =>
    assertSame(await onOneDevice(), {
      ...{ ...BASE, tokens: 70, entries: 150 },
      selection: () => ranges([-Infinity, Infinity]),
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
