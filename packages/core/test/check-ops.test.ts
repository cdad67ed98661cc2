import {
  all,
  createAttention,
  entriesOf,
  InputError,
  JitAttentionError,
  reference,
  type SelectSpec,
  type StepOps,
  type Tensor,
  threshold,
  topk,
  topp,
  type TokensSelection,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { leakFree } from './support/leaks.js';
import { planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

type Make = <D extends 'f32' | 'i32' = 'f32'>(shape: number[], dtype?: D) => Tensor<D>;
type Call = (ops: StepOps, make: Make) => void;

/** What a call of a primitive is refused with, in a step of 3 queries (4 heads of 4) over 3 keys (2 heads of 4). */
async function refusal(call: Call): Promise<JitAttentionError | undefined> {
  let refused: JitAttentionError | undefined;
  await leakFree(async (backend) => {
    const made: Tensor[] = [];
    const make: Make = (shape, dtype) => {
      const tensor = backend.zeros({ shape, dtype });
      made.push(tensor);
      return tensor;
    };
    const strategy = planning(({ ops }) => {
      try {
        call(ops, make);
      } catch (error) {
        if (!JitAttentionError.is(error)) throw error;
        refused = error;
      }
      return { branches: [{ keys: 'cache', selection: all }] };
    });
    const result = await createAttention({ ...LAYER, backend, strategy }).run(
      new Text(3).slice(0, 3),
    );
    result.dispose();
    for (const tensor of made) tensor.dispose();
  });
  return refused;
}

/** Rows `[1, 2, 3, 4]` as entries. */
const rows = (make: Make, ...shape: number[]) =>
  entriesOf(make(shape.length > 0 ? shape : [1, 2, 3, 4]));

const wrongShapes: Record<string, Call> = {
  'slice: an axis that is not there': (ops, make) =>
    ops.slice(make([2, 3]), { axis: 2, start: 0, end: 1 }),
  'slice: past the end': (ops, make) => ops.slice(make([2, 3]), { axis: 1, start: 1, end: 4 }),
  'slice: end before start': (ops, make) => ops.slice(make([2, 3]), { axis: 1, start: 2, end: 1 }),
  'permute: an axis twice': (ops, make) => ops.permute(make([2, 3]), [0, 0]),
  'permute: an axis left out': (ops, make) => ops.permute(make([2, 3, 4]), [1, 0]),
  'gather: a token out of range': (ops, make) => ops.gather(make([1, 2, 3, 4]), [[0, 3]]),
  'gather: a row out of range': (ops, make) => ops.gather(make([1, 2, 3, 4]), [[1, 0]]),
  'gather: before the beginning': (ops, make) => ops.gather(make([1, 2, 3, 4]), [[0, -1]]),
  'merge: parts of two shapes': (ops, make) =>
    ops.merge([
      { output: make([1, 4, 3, 3]), logSumExp: make([1, 4, 3]) },
      { output: make([1, 4, 3, 2]), logSumExp: make([1, 4, 3]) },
    ]),
  'merge: a gate too few': (ops, make) =>
    ops.merge(
      [1, 2].map(() => ({ output: make([1, 4, 3, 3]), logSumExp: make([1, 4, 3]) })),
      { gates: make([1, 4, 3, 1]) },
    ),
  'merge: sinks of other heads': (ops, make) =>
    ops.merge([{ output: make([1, 4, 3, 3]), logSumExp: make([1, 4, 3]) }], {
      sinkLogits: make([2]),
    }),
  'pool: first of another batch': (ops, make) => ops.pool({ ...pooled(make), first: [0, 0] }),
  'pool: parts of two widths': (ops, make) =>
    ops.pool({
      ...pooled(make),
      parts: [
        { values: rows(make), start: 0, length: 1 },
        { values: rows(make, 1, 2, 3, 5), start: 0, length: 1 },
      ],
    }),
  'pool: channels past the width': (ops, make) =>
    ops.pool({
      ...pooled(make),
      parts: [{ values: rows(make), start: 0, length: 1, channels: [2, 5] }],
    }),
  'pool: logits of another shape': (ops, make) =>
    ops.pool({
      ...pooled(make),
      kind: 'softmax',
      parts: [{ values: rows(make), logits: rows(make, 1, 2, 2, 4), start: 0, length: 1 }],
    }),
  'linear: a weight of another width': (ops, make) =>
    ops.linear(make([1, 2, 3, 4]), { weight: make([4, 3]) }),
  'linear: a weight laid out the other way': (ops, make) =>
    ops.linear(make([1, 2, 3, 4]), { weight: make([4, 8]) }),
  'linear: a bias of another width': (ops, make) =>
    ops.linear(make([1, 2, 3, 4]), { weight: make([5, 4]), bias: make([4]) }),
  'norm: a weight of another width': (ops, make) =>
    ops.norm(make([1, 2, 3, 4]), { kind: 'rms', eps: 0, weight: make([3]) }),
  'norm: a bias of another width': (ops, make) =>
    ops.norm(make([1, 2, 3, 4]), { kind: 'layer', eps: 0, bias: make([5]) }),
  'rotary: as many frequencies as channels': (ops, make) =>
    ops.rotary(make([1, 2, 3, 4]), { frequencies: [1, 1, 1, 1], first: [0] }),
  'rotary: positions of another batch': (ops, make) =>
    ops.rotary(make([1, 2, 3, 4]), { frequencies: [1, 1], first: [0, 0] }),
  'rotary: channels past the width': (ops, make) =>
    ops.rotary(make([1, 2, 3, 4]), { frequencies: [1], first: [0], channels: [3, 5] }),
  'hadamard: a width that is no power of two': (ops, make) => ops.hadamard(make([1, 2, 3, 6])),
  'select: keys of another width than the query': (ops, make) =>
    ops.select(scored(make, { keys: rows(make, 1, 2, 3, 5) })),
  'select: keys of another batch': (ops, make) =>
    ops.select(scored(make, { keys: rows(make, 2, 2, 3, 4) })),
  'select: a query of other tokens than the step': (ops, make) =>
    ops.select(scored(make, { query: make([1, 4, 2, 4]) })),
  'select: query heads that the keys do not share': (ops, make) =>
    ops.select(scored(make, { query: make([1, 3, 3, 4]) })),
  'select: bounds of two lengths': (ops, make) =>
    ops.select({
      score: {
        kind: 'bounds',
        query: make([1, 4, 3, 4]),
        min: rows(make),
        max: rows(make, 1, 2, 2, 4),
      },
      pick: topk(1),
    }),
  'select: a weight for each head only': (ops, make) =>
    ops.select({
      score: {
        kind: 'reluWeighted',
        query: make([1, 8, 3, 4]),
        keys: rows(make, 1, 1, 3, 4),
        weights: make([1, 8, 1, 1]),
        scale: 1,
      },
      pick: topk(1),
    }),
  'select: indexer keys of several heads': (ops, make) =>
    ops.select({
      score: {
        kind: 'reluWeighted',
        query: make([1, 8, 3, 4]),
        keys: rows(make),
        weights: make([1, 8, 3, 1]),
        scale: 1,
      },
      pick: topk(1),
    }),
  'select: candidates of another batch': (ops, make) =>
    ops.select({ ...scored(make), within: candidates(make, [2, 1, 3]) }),
  'select: candidates of other heads': (ops, make) =>
    ops.select({ ...scored(make), within: candidates(make, [1, 4, 3]) }),
  'select: candidates of other queries': (ops, make) =>
    ops.select({ ...scored(make), within: candidates(make, [1, 1, 2]) }),
};

const wrongOptions: Record<string, Call> = {
  'merge: nothing': (ops) => ops.merge([]),
  'merge: gates and sinks': (ops, make) =>
    ops.merge([{ output: make([1, 4, 3, 3]), logSumExp: make([1, 4, 3]) }], {
      gates: make([1, 4, 3, 1]),
      sinkLogits: make([4]),
    }),
  'pool: nothing': (ops, make) => ops.pool({ ...pooled(make), parts: [] }),
  'pool: no stride': (ops, make) => ops.pool({ ...pooled(make), stride: 0 }),
  'pool: an empty part': (ops, make) =>
    ops.pool({ ...pooled(make), parts: [{ values: rows(make), start: 0, length: 0 }] }),
  'norm: a negative eps': (ops, make) => ops.norm(make([4]), { kind: 'rms', eps: -1 }),
  'quantise: 3 bits': (ops, make) => ops.quantise(make([4]), { bits: 3 as 4, range: 'absmax' }),
  'select: a block of half an entry': (ops, make) => ops.select({ ...scored(make), block: 0.5 }),
  'select: blocks whose scores nobody pools': (ops, make) =>
    ops.select({ ...scored(make), block: 2 }),
  'select: no queries a block': (ops, make) => ops.select({ ...scored(make), queryBlock: 0 }),
  'select: a scale that is no number': (ops, make) => ops.select(scored(make, { scale: NaN })),
  'select: no share of the mass': (ops, make) => ops.select({ ...scored(make), pick: topp(0, 3) }),
  'select: a threshold that is no number': (ops, make) =>
    ops.select({ ...scored(make), pick: threshold(NaN, 3) }),
  'select: no units': (ops, make) => ops.select({ ...scored(make), pick: topk(0) }),
  'select: half a cell of queries': (ops, make) => ops.select({ ...cells(make), queryBlock: 3 }),
};

const pooled = (make: Make): Parameters<StepOps['pool']>[0] => ({
  kind: 'mean',
  parts: [{ values: rows(make), start: 0, length: 2 }],
  stride: 2,
  first: [0],
  count: 1,
});

function scored(
  make: Make,
  wrong: Partial<Extract<SelectSpec['score'], { kind: 'dot' }>> = {},
): SelectSpec {
  const score = {
    kind: 'dot',
    query: make([1, 4, 3, 4]),
    keys: rows(make),
    scale: 1,
    ...wrong,
  } as const;
  return { score, pick: topk(2) };
}

function cells(make: Make): SelectSpec {
  const score = {
    kind: 'antidiagonal',
    query: make([1, 4, 3, 4]),
    keys: rows(make),
    scale: 1,
    stride: 2,
  } as const;
  return { score, block: 2, queryBlock: 2, pick: topk(2) };
}

function candidates(make: Make, shape: number[]): TokensSelection {
  return {
    kind: 'tokens',
    ids: make([...shape, 2], 'i32'),
    counts: make(shape, 'i32'),
    queryBlock: 1,
  };
}

describe('a primitive called with wrong shapes', () => {
  for (const [name, call] of Object.entries(wrongShapes)) {
    it(`is refused: ${name}`, async () => {
      const error = await refusal(call);
      expect(error).toBeInstanceOf(InputError);
      expect(error).toMatchObject({
        code: 'INVALID_SHAPE',
        expected: expect.any(String) as string,
      });
      expect(error).toHaveProperty('actual');
      expect(error!.message).toContain(`ops.${name.split(':')[0]}: expected `);
    });
  }
});

describe('a primitive called with wrong options', () => {
  for (const [name, call] of Object.entries(wrongOptions)) {
    it(`is refused: ${name}`, async () => {
      expect(await refusal(call)).toMatchObject({ name: 'InputError', code: 'INVALID_OPTION' });
    });
  }

  it('is refused: softmax without logits', async () => {
    const error = await refusal((ops, make) => ops.pool({ ...pooled(make), kind: 'softmax' }));
    expect(error).toMatchObject({ name: 'InputError', code: 'MISSING_INPUT' });
  });
});

describe('a primitive called with tensors it may not use', () => {
  it('refuses disposed ones', async () => {
    const error = await refusal((ops, make) => {
      const gone = make([1, 2, 3, 4]);
      gone.dispose();
      ops.hadamard(gone);
    });
    expect(error).toMatchObject({ name: 'LifetimeError', code: 'TENSOR_DISPOSED' });
  });

  it('refuses those of another backend', async () => {
    const other = reference();
    const foreign = other.zeros({ shape: [1, 2, 3, 4] });
    for (const call of [
      (ops) => ops.hadamard(foreign),
      (ops, make) => ops.linear(make([1, 2, 3, 4]), { weight: foreign }),
      (ops, make) => ops.select(scored(make, { keys: entriesOf(foreign) })),
      (ops, make) =>
        ops.pool({ ...pooled(make), parts: [{ values: entriesOf(foreign), start: 0, length: 1 }] }),
    ] satisfies Call[]) {
      expect(await refusal(call)).toMatchObject({
        name: 'LifetimeError',
        code: 'BACKEND_MISMATCH',
      });
    }
    foreign.dispose();
  });
});

describe('the messages', () => {
  it('say what was expected and what came', async () => {
    const message = async (name: string): Promise<string | undefined> =>
      (await refusal({ ...wrongShapes, ...wrongOptions }[name]))?.message;
    expect(await message('linear: a weight of another width')).toMatchInlineSnapshot(
      `"ops.linear: expected weight [out, 4], as the rows are 4 wide, got [4, 3]"`,
    );
    expect(await message('gather: a token out of range')).toMatchInlineSnapshot(
      `"ops.gather: expected picks [row, token] inside 1 rows of 3 tokens, got [0, 3]"`,
    );
    expect(await message('rotary: as many frequencies as channels')).toMatchInlineSnapshot(
      `"ops.rotary: expected a frequency for each of the 2 pairs, got 4"`,
    );
    expect(await message('hadamard: a width that is no power of two')).toMatchInlineSnapshot(
      `"ops.hadamard: expected a width that is a power of two, got 6"`,
    );
    expect(await message('select: keys of another width than the query')).toMatchInlineSnapshot(
      `"ops.select: expected a query [1, heads, 3, 5], as wide as the keys, got [1, 4, 3, 4]"`,
    );
    expect(await message('select: candidates of another batch')).toMatchInlineSnapshot(
      `"ops.select: expected within.ids [1, 2 or 1, 3, capacity], got [2, 1, 3, 2]"`,
    );
    expect(await message('select: blocks whose scores nobody pools')).toMatchInlineSnapshot(
      `"ops.select: expected pool or over, as a unit is a block of 2 entries, got neither"`,
    );
    expect(await message('pool: parts of two widths')).toMatchInlineSnapshot(
      `"ops.pool: expected parts of one batch, heads and width [1, 2, 4], got [1, 2, 5]"`,
    );
  });
});

describe('a primitive called rightly', () => {
  it('is carried out', async () => {
    const calls: Call[] = [
      (ops, make) => ops.select(scored(make)),
      (ops, make) => ops.select(cells(make)),
      (ops, make) => ops.select({ ...scored(make), within: candidates(make, [1, 2, 3]) }),
      (ops, make) => ops.pool(pooled(make)),
      (ops, make) => ops.slice(make([2, 3]), { axis: 1, start: 3, end: 3 }),
      (ops, make) => ops.hadamard(make([1, 1, 1, 1])),
    ];
    for (const call of calls) expect(await refusal(call)).toBeUndefined();
  });
});
