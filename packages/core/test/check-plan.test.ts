import {
  all,
  type AttentionStrategy,
  type Backend,
  type BlocksSelection,
  type Branch,
  createAttention,
  type Entries,
  entriesOf,
  fromQuery,
  type Plan,
  ranges,
  reference,
  type Tensor,
  unite,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { attendNext } from './support/calls.js';
import { leakFree } from './support/leaks.js';
import { planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

type Make = <D extends 'f32' | 'i32' = 'f32'>(shape: number[], dtype?: D) => Tensor<D>;
/** A plan for 3 queries (4 heads of 4) over 3 keys (2 heads of 4, values of 3). */
type Made = (make: Make) => unknown;

const branches = (...wrong: unknown[]): Plan => ({ branches: wrong as Branch[] });
const reading = (wrong: Record<string, unknown>): Plan =>
  branches({ keys: 'cache', selection: all, ...wrong });
const over = (make: Make, ...shape: number[]): Entries => entriesOf(make(shape));

function blocks(make: Make, wrong: Partial<BlocksSelection> = {}, shape = [1, 2, 3]): Plan {
  const listed = { ids: make([...shape, 2], 'i32'), counts: make(shape, 'i32') };
  return reading({
    selection: { kind: 'blocks', blockSize: 4, queryBlock: 1, ...listed, ...wrong },
  });
}

const invalid: Record<string, Made> = {
  'nothing at all': () => undefined,
  'no branches': () => ({}),
  'an empty list of branches': () => branches(),
  'keys of nowhere': () => reading({ keys: 'kache' }),
  'no keys': () => reading({ keys: undefined }),
  'no selection': () => reading({ selection: undefined }),
  'a selection of no kind': () => reading({ selection: { kind: 'some' } }),
  'a united selection with such a part': () =>
    reading({ selection: { kind: 'united', of: [ranges(), { kind: 'some' }] } }),
  'a range of no number': () => reading({ selection: ranges([0, NaN]) }),
  'a range without a stride': () => reading({ selection: ranges([0, fromQuery(1, 0)]) }),
  'a bound of half an entry': () => reading({ visible: fromQuery(0.5) }),
  'a scale of no number': () => reading({ scale: NaN }),
  'ids of another batch': (make) => blocks(make, {}, [2, 2, 3]),
  'ids of the query heads': (make) => blocks(make, {}, [1, 4, 3]),
  'ids for fewer queries': (make) => blocks(make, {}, [1, 2, 2]),
  'ids for single queries in blocks': (make) => blocks(make, { queryBlock: 2 }),
  'ids that are floats': (make) => blocks(make, { ids: make([1, 2, 3, 2]) as never }),
  'counts that are floats': (make) => blocks(make, { counts: make([1, 2, 3]) as never }),
  'counts of another shape': (make) => blocks(make, { counts: make([1, 1, 3], 'i32') }),
  'blocks of nothing': (make) => blocks(make, { blockSize: 0 }),
  'blocks of no queries': (make) => blocks(make, { queryBlock: 0 }),
  'a query for other tokens': (make) => reading({ query: make([1, 4, 2, 4]) }),
  'a query of the kv heads': (make) => reading({ query: make([1, 2, 3, 4]) }),
  'a query of another width than its keys': (make) => reading({ query: make([1, 4, 3, 5]) }),
  'entries of another batch': (make) => reading({ keys: over(make, 2, 2, 3, 4) }),
  'entries of other heads': (make) => reading({ keys: over(make, 1, 4, 3, 4) }),
  'entries of another width': (make) => reading({ keys: over(make, 1, 2, 3, 5) }),
  'entries too narrow to be values': (make) =>
    reading({ keys: over(make, 1, 2, 3, 2), query: make([1, 4, 3, 2]) }),
  'values of another width': (make) =>
    reading({ keys: over(make, 1, 2, 3, 4), values: over(make, 1, 2, 3, 4) }),
  'values for other entries': (make) =>
    reading({ keys: over(make, 1, 2, 3, 4), values: over(make, 1, 2, 2, 3) }),
  "the cache's values for other entries": (make) =>
    reading({ keys: over(make, 1, 2, 5, 4), values: 'cache' }),
  'a gate too few': (make) => ({ ...reading({}), gates: make([1, 4, 3, 2]) }),
  'gates for the kv heads': (make) => ({ ...reading({}), gates: make([1, 2, 3, 1]) }),
};

const valid: Record<string, Made> = {
  'blocks shared by all heads': (make) => blocks(make, {}, [1, 1, 3]),
  'blocks for pairs of queries': (make) => blocks(make, { queryBlock: 2 }, [1, 2, 2]),
  'ranges without an end': () => reading({ selection: ranges([0, Infinity]) }),
  'nothing to read': () => reading({ selection: ranges() }),
  'entries of its own, their first channels the values': (make) =>
    reading({ keys: over(make, 1, 2, 5, 4) }),
  'entries and a query of another width': (make) =>
    reading({ keys: over(make, 1, 2, 5, 6), query: make([1, 4, 3, 6]) }),
  'entries with values of their own': (make) =>
    reading({ keys: over(make, 1, 2, 5, 4), values: over(make, 1, 2, 5, 3) }),
  'gates for two branches': (make) => ({
    branches: [...reading({}).branches, ...blocks(make).branches],
    gates: make([1, 4, 3, 2]),
  }),
  'a union': (make) =>
    reading({ selection: unite(ranges([0, 1]), blocks(make).branches[0].selection) }),
};

/** A strategy with this plan, the tensors it is made of, and what frees them. */
function planned(backend: Backend, made: Made): { strategy: AttentionStrategy; free: () => void } {
  const tensors: Tensor[] = [];
  const make: Make = (shape, dtype) => {
    const tensor = backend.zeros({ shape, dtype });
    tensors.push(tensor);
    return tensor;
  };
  const strategy = planning(() => made(make) as Plan);
  return { strategy, free: () => tensors.forEach((tensor) => tensor.dispose()) };
}

describe('a plan that is none', () => {
  for (const [name, made] of Object.entries(invalid)) {
    it(`is refused, and the sequence is as it was: ${name}`, () =>
      leakFree(async (backend) => {
        const { strategy, free } = planned(backend, made);
        const sequence = createAttention({ ...LAYER, backend, strategy }).sequence();
        await expect(attendNext(sequence, new Text(3), 3)).rejects.toMatchObject({
          name: 'PlanError',
          code: 'PLAN_INVALID',
          expected: expect.any(String) as string,
          message: expect.stringMatching(/^attend: planning: expected .*, got /) as string,
        });
        expect(sequence.length).toBe(0);
        for (const one of [{ dispose: free }, sequence]) one.dispose();
      }));
  }

  it('is described by what it should have been', async () => {
    const message = async (name: string): Promise<string> => {
      const backend = reference();
      const layer = createAttention({
        ...LAYER,
        backend,
        strategy: planned(backend, invalid[name]).strategy,
      });
      const { query, key, value } = new Text(3).slice(0, 3);
      return layer.run({ query, key, value }).then(
        () => 'accepted',
        (error: Error) => error.message,
      );
    };
    expect(await message('ids of the query heads')).toMatchInlineSnapshot(
      `"run: planning: expected ids [1, 2 or 1, 3, capacity], got [1, 4, 3, 2]"`,
    );
    expect(await message('entries of another width')).toMatchInlineSnapshot(
      `"run: planning: expected keys as wide as the query, 4, got 5"`,
    );
    expect(await message('values for other entries')).toMatchInlineSnapshot(
      `"run: planning: expected a value for each key, 3 entries, got [2]"`,
    );
    expect(await message('a gate too few')).toMatchInlineSnapshot(
      `"run: planning: expected gates [1, 4, 3, 1], got [1, 4, 3, 2]"`,
    );
    expect(await message('a selection of no kind')).toMatchInlineSnapshot(
      `"run: planning: expected a selection (all, ranges, blocks, tokens, united), got some"`,
    );
    expect(await message('nothing at all')).toMatchInlineSnapshot(
      `"run: planning: expected a plan with at least one branch, got undefined"`,
    );
  });

  it('is refused for tensors that are gone, or belong to another backend', () =>
    leakFree(async (backend) => {
      const other = reference();
      const foreign = other.zeros({ shape: [1, 2, 5, 4] });
      const gone = backend.zeros({ shape: [1, 2, 5, 4] });
      const entries = entriesOf(gone);
      gone.dispose();
      const run = (keys: Entries): Promise<unknown> => {
        const strategy = planning(() => reading({ keys }));
        return createAttention({ ...LAYER, backend, strategy }).run(new Text(3).slice(0, 3));
      };
      await expect(run(entriesOf(foreign))).rejects.toMatchObject({ code: 'BACKEND_MISMATCH' });
      await expect(run(entries)).rejects.toMatchObject({ code: 'TENSOR_DISPOSED' });
    }));

  it('is refused with gates where the layer has sinkLogits', () =>
    leakFree(async (backend) => {
      const made: Made = (make) => ({ ...reading({}), gates: make([1, 4, 3, 1]) });
      const { strategy, free } = planned(backend, made);
      const layer = createAttention({ ...LAYER, backend, strategy, sinkLogits: [0, 0, 0, 0] });
      await expect(layer.run(new Text(3).slice(0, 3))).rejects.toMatchObject({
        code: 'PLAN_INVALID',
      });
      free();
    }));

  it("is refused for the cache's values beside other keys where values are keys", () =>
    leakFree(async (backend) => {
      const made: Made = (make) => reading({ keys: over(make, 1, 2, 3, 4), values: 'cache' });
      const { strategy, free } = planned(backend, made);
      const layer = createAttention({ ...LAYER, backend, strategy, values: 'key' });
      const { query, key } = new Text(3).slice(0, 3);
      await expect(layer.run({ query, key })).rejects.toMatchObject({ code: 'PLAN_INVALID' });
      free();
    }));
});

describe('a plan as it should be', () => {
  for (const [name, made] of Object.entries(valid)) {
    it(`is carried out: ${name}`, () =>
      leakFree(async (backend) => {
        const { strategy, free } = planned(backend, made);
        const layer = createAttention({ ...LAYER, backend, strategy });
        (await layer.run(new Text(3).slice(0, 3))).dispose();
        free();
      }));
  }
});
