import {
  type AttentionStrategy,
  createAttention,
  defineStrategy,
  fromQuery,
  inputError,
  type Plan,
  ranges,
  reference,
  series,
  union,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { attendRows, outputOf } from './support/calls.js';
import { errorWith } from './support/errors.js';
import { leakFree } from './support/leaks.js';
import { bestPages, newest } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const SMALL = { ...LAYER, pageSize: 4, queryChunk: 3, rollback: 6 };
const text = new Text(40, { batch: 2 });

/** When and how {@link fragile} fails; nothing: it works. */
interface Failure {
  stage?: 'index' | 'index.append' | 'plan' | undefined;
  /** Of the plans that are made while it is to fail, the number that fails. */
  chunk?: number;
  how?: () => unknown;
}

/** Reads the newest entries of copies that it keeps of keys and values: an index that must not run ahead. */
const copying = (): AttentionStrategy =>
  defineStrategy({
    name: 'copying',
    apiVersion: 1,
    supports: { exact: false, sync: true, bidirectional: false },
    index: (site) => ({
      keys: series(site, { input: 'keys' }),
      values: series(site, { input: 'values' }),
    }),
    plan: ({ index: { keys, values } }) => ({
      branches: [
        { keys: keys.rows, values: values.rows, selection: ranges([fromQuery(-2), fromQuery(1)]) },
      ],
    }),
  });

/** The best pages and the copies, and a last index part behind theirs; fails as it is told. */
function fragile(failure: Failure): AttentionStrategy {
  const inner = union(bestPages(2), copying());
  let plans = 0;
  const fail = (stage: Failure['stage'], otherwise: () => unknown): unknown =>
    failure.stage === stage ? failure.how!() : otherwise();
  return defineStrategy({
    ...inner,
    name: 'fragile',
    index: (site) => ({
      ...(fail('index', () => inner.index!(site)) as object),
      last: {
        append: () => fail('index.append', () => undefined) as void,
        fork() {
          return this;
        },
      },
    }),
    plan(step) {
      const number = failure.stage === 'plan' ? plans++ : (plans = 0);
      return (
        number === (failure.chunk ?? 0) ? fail('plan', () => inner.plan(step)) : inner.plan(step)
      ) as Plan;
    },
  });
}

const bang = new Error('bang');
const throws = (): never => {
  throw bang;
};
const rejects = (): Promise<never> => Promise.reject(bang);

const failures: Record<string, Failure> = {
  'plan throws': { stage: 'plan', how: throws },
  'plan throws for a later chunk': { stage: 'plan', how: throws, chunk: 2 },
  'plan rejects': { stage: 'plan', how: rejects },
  'plan rejects for a later chunk': { stage: 'plan', how: rejects, chunk: 2 },
  'index.append throws': { stage: 'index.append', how: throws },
  'index.append rejects': { stage: 'index.append', how: rejects },
};

describe('a strategy that fails', () => {
  for (const [name, failure] of Object.entries(failures)) {
    const wrapped = {
      name: 'StrategyError',
      code: 'STRATEGY_FAILED',
      message: expect.stringMatching(
        new RegExp(`^strategy fragile failed in ${failure.stage}: bang`),
      ) as string,
      cause: bang,
    };

    it(`leaves the sequence as it was: ${name}`, () =>
      leakFree(async (backend) => {
        const state: Failure = {};
        const layer = createAttention({ ...SMALL, backend, strategy: fragile(state) });
        const [one, other] = [layer.sequence({ batch: 2 }), layer.sequence({ batch: 2 })];
        for (const sequence of [one, other]) await attendRows(sequence, text, [6, 9]);

        Object.assign(state, failure);
        const before = backend.memory().tensors;
        await expect(attendRows(one, text, [11, 8])).rejects.toMatchObject(wrapped);
        expect(backend.memory().tensors).toBe(before);
        expect(one.lengths).toEqual([6, 9]);
        delete state.stage;

        for (const counts of [
          [1, 0],
          [7, 9],
        ])
          expect(await attendRows(one, text, counts)).toEqual(
            await attendRows(other, text, counts),
          );
        for (const sequence of [one, other]) sequence.dispose();
      }));

    it(`leaves nothing behind of a run: ${name}`, () =>
      leakFree(async (backend) => {
        const layer = createAttention({ ...SMALL, backend, strategy: fragile({ ...failure }) });
        const { lengths, ...inputs } = text.slice(0, 9);
        const run = layer.run({ ...inputs, lengths, batch: 2, keepPlan: true });
        await expect(run).rejects.toMatchObject(wrapped);
      }));
  }

  it('is named when it cannot even make its index, and leaves nothing behind', () =>
    leakFree(async (backend) => {
      const strategy = fragile({ stage: 'index', how: throws });
      const layer = createAttention({ ...SMALL, backend, strategy });
      const wrapped = { code: 'STRATEGY_FAILED', cause: bang };
      expect(() => layer.sequence()).toThrow(errorWith(wrapped));
      expect(backend.memory().tensors).toBe(0);
      await expect(layer.run({ ...text.slice(0, 2), batch: 2 })).rejects.toMatchObject(wrapped);
    }));

  it('leaves the sequence as it was when it cannot say what is dead', () =>
    leakFree(async (backend) => {
      let broken = false;
      const inner = newest(2);
      const strategy: AttentionStrategy = {
        ...inner,
        dead(length, layer) {
          if (broken && length > 3) throw bang; // for the second row
          return inner.dead!(length, layer);
        },
      };
      const layer = createAttention({ ...SMALL, pageSize: 1, rollback: 3, backend, strategy });
      const [one, other] = [layer.sequence({ batch: 2 }), layer.sequence({ batch: 2 })];
      for (const sequence of [one, other]) await attendRows(sequence, text, [4, 5]);
      broken = true;
      await expect(attendRows(one, text, [2, 3])).rejects.toMatchObject({
        code: 'STRATEGY_FAILED',
        message: expect.stringContaining('failed in dead: bang') as string,
        cause: bang,
      });
      broken = false;
      expect(one.lengths).toEqual([4, 5]);
      expect(one.bytes).toBe(other.bytes);
      expect(await attendRows(one, text, [2, 3])).toEqual(await attendRows(other, text, [2, 3]));
      for (const sequence of [one, other]) sequence.dispose();
    }));

  it('says what went wrong, in whose code, and whom to tell', async () => {
    const strategy = fragile({ stage: 'plan', how: throws });
    const sequence = createAttention({ ...SMALL, backend: reference(), strategy }).sequence({
      batch: 2,
    });
    await expect(attendRows(sequence, text, [1, 1])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [StrategyError: strategy fragile failed in plan: bang
        hint: report it to the author of fragile; the sequence is as it was before the call]
    `);
  });

  it('may throw errors of ours, which say enough themselves', () =>
    leakFree(async (backend) => {
      const own = inputError('fragile', 'something else', 'this', { code: 'BUDGET_TOO_SMALL' });
      const how = (): never => {
        throw own;
      };
      const layer = createAttention({
        ...SMALL,
        backend,
        strategy: fragile({ stage: 'plan', how }),
      });
      await expect(layer.run({ ...text.slice(0, 2), batch: 2 })).rejects.toBe(own);
    }));

  it('may throw what is no error at all', () =>
    leakFree(async (backend) => {
      const how = (): never => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw 'a string';
      };
      const layer = createAttention({
        ...SMALL,
        backend,
        strategy: fragile({ stage: 'plan', how }),
      });
      await expect(layer.run({ ...text.slice(0, 2), batch: 2 })).rejects.toMatchObject({
        code: 'STRATEGY_FAILED',
        cause: 'a string',
        message: expect.stringContaining('a string') as string,
      });
    }));
});

describe('an abort', () => {
  /** Aborts while chunk `at` of queries is planned. */
  function abortingAt(at: number, controller: AbortController): AttentionStrategy {
    const inner = bestPages(2);
    let chunk = 0;
    return {
      ...inner,
      plan(step) {
        if (chunk++ === at) controller.abort(bang);
        return inner.plan(step);
      },
    };
  }

  for (const at of [0, 1, 2]) {
    it(`in chunk ${at} takes effect before the next, and leaves the sequence as it was`, () =>
      leakFree(async (backend) => {
        const controller = new AbortController();
        const never = createAttention({ ...SMALL, backend, strategy: bestPages(2) }).sequence({
          batch: 2,
        });
        const strategy = abortingAt(at + 2, controller); // the first call has two chunks
        const aborted = createAttention({ ...SMALL, backend, strategy }).sequence({ batch: 2 });
        for (const sequence of [never, aborted]) await attendRows(sequence, text, [6, 4]);

        const { signal } = controller;
        const call = text.take({ first: [6, 4], counts: [12, 12] });
        const before = backend.memory().tensors;
        await expect(aborted.attend({ ...call, signal })).rejects.toMatchObject({
          name: 'AbortError',
          code: 'ABORTED',
          cause: bang,
          message: `attend: aborted before chunk ${at + 1}; nothing was changed`,
        });
        expect(backend.memory().tensors).toBe(before);
        expect(aborted.lengths).toEqual([6, 4]);

        expect(await attendRows(aborted, text, [12, 12])).toEqual(
          await attendRows(never, text, [12, 12]),
        );
        for (const sequence of [never, aborted]) sequence.dispose();
      }));
  }

  it('is heard from a timer while a long call runs', () =>
    leakFree(async (backend) => {
      const controller = new AbortController();
      const sequence = createAttention({
        ...SMALL,
        queryChunk: 1,
        backend,
        strategy: bestPages(2),
      }).sequence({ batch: 2 });
      setTimeout(() => controller.abort(), 0);
      const call = sequence.attend({ ...text.slice(0, 40), signal: controller.signal });
      await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
      expect(sequence.length).toBe(0);
      sequence.dispose();
    }));

  it('before the call keeps it from starting', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...SMALL, backend, strategy: bestPages(2) });
      const sequence = layer.sequence({ batch: 2 });
      const inputs = { ...text.slice(0, 9), signal: AbortSignal.abort(bang) };
      const before = backend.memory();
      await expect(sequence.attend(inputs)).rejects.toMatchObject({
        code: 'ABORTED',
        actual: bang,
      });
      await expect(layer.run({ ...inputs, batch: 2 })).rejects.toMatchObject({ code: 'ABORTED' });
      expect(backend.memory()).toEqual(before);
      sequence.dispose();
    }));

  it('after the last chunk comes too late', () =>
    leakFree(async (backend) => {
      const controller = new AbortController();
      const layer = createAttention({ ...SMALL, backend, strategy: bestPages(2) });
      const result = await layer.run({ ...text.slice(0, 9), batch: 2, signal: controller.signal });
      controller.abort();
      expect(await outputOf(result)).toHaveLength(2 * 4 * 9 * 3);
    }));
});
