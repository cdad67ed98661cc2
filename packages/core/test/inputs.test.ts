import {
  type Attention,
  type AttentionStrategy,
  type Backend,
  createAttention,
  reference,
  type RunInputs,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { leakFree } from './support/leaks.js';
import { normals } from './support/random.js';
import { everyEntry } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const TOKENS = 3;

/** Wants an auxiliary tensor of each kind. */
const demanding = (): AttentionStrategy =>
  everyEntry({
    name: 'demanding',
    requires: {
      perQuery: { per: 'query', heads: 'heads', width: 2 },
      perKey: { per: 'key', heads: 1, width: 'headDim' },
    },
  });

const rightInputs = (): RunInputs => {
  const { query, key, value } = new Text(TOKENS).slice(0, TOKENS);
  const aux = { perQuery: normals(4 * TOKENS * 2, 1), perKey: normals(TOKENS * 4, 2) };
  return { query, key, value, aux };
};

interface Wrong {
  readonly code: string;
  readonly inputs: (backend: Backend, right: RunInputs) => Record<string, unknown>;
}
const wrong = (code: string, inputs: Wrong['inputs']): Wrong => ({ code, inputs });
const zeros = (size: number): Float32Array => new Float32Array(size);

const wrongInputs: Record<string, Wrong> = {
  'no query': wrong('MISSING_INPUT', () => ({ query: undefined })),
  'a query that is null': wrong('MISSING_INPUT', () => ({ query: null })),
  'a query of plain numbers': wrong('INVALID_DTYPE', () => ({ query: [1, 2, 3] })),
  'a query of 64-bit numbers': wrong('INVALID_DTYPE', () => ({ query: new Float64Array(48) })),
  'an empty query': wrong('INVALID_SHAPE', () => ({ query: zeros(0) })),
  'a query with a number too many': wrong('INVALID_SHAPE', () => ({ query: zeros(49) })),
  'more queries than keys': wrong('INVALID_SHAPE', () => ({
    query: zeros(4 * 4 * 4),
    aux: { perQuery: zeros(4 * 4 * 2), perKey: zeros(12) },
  })),
  'no key': wrong('MISSING_INPUT', () => ({ key: undefined })),
  'a key of another width': wrong('INVALID_SHAPE', () => ({ key: zeros(2 * TOKENS * 5) })),
  'no value': wrong('MISSING_INPUT', () => ({ value: undefined })),
  'a value as wide as a key': wrong('INVALID_SHAPE', () => ({ value: zeros(2 * TOKENS * 4) })),
  'a value for fewer tokens': wrong('INVALID_SHAPE', () => ({ value: zeros(2 * 2 * 3) })),
  'no auxiliary tensors': wrong('MISSING_INPUT', () => ({ aux: undefined })),
  'an auxiliary tensor too few': wrong('MISSING_INPUT', (_, { aux }) => ({
    aux: { perQuery: aux!.perQuery },
  })),
  'an auxiliary tensor of other heads': wrong('INVALID_SHAPE', (_, { aux }) => ({
    aux: { ...aux, perQuery: zeros(2 * TOKENS * 2) },
  })),
  'lengths for another batch': wrong('INVALID_OPTION', () => ({ lengths: [3, 3] })),
  'a negative length': wrong('INVALID_OPTION', () => ({ lengths: [-1] })),
  'half a token': wrong('INVALID_OPTION', () => ({ lengths: [1.5] })),
  'a length beyond the keys': wrong('INVALID_OPTION', () => ({ lengths: [4] })),
  'an input that nobody knows': wrong('INVALID_OPTION', () => ({ lenghts: [3] })),
  'a tensor of integers': wrong('INVALID_DTYPE', (backend) => ({
    query: backend.zeros({ shape: [1, 4, TOKENS, 4], dtype: 'i32' }),
  })),
  'a tensor without a batch': wrong('INVALID_SHAPE', (backend) => ({
    query: backend.zeros({ shape: [4, TOKENS, 4] }),
  })),
  'a tensor in the other layout': wrong('INVALID_SHAPE', (backend) => ({
    query: backend.zeros({ shape: [1, TOKENS, 4, 4] }),
  })),
  'a tensor without tokens': wrong('INVALID_SHAPE', (backend) => ({
    query: backend.zeros({ shape: [1, 4, 0, 4] }),
  })),
  'a disposed tensor': wrong('TENSOR_DISPOSED', (backend) => {
    const query = backend.zeros({ shape: [1, 4, TOKENS, 4] });
    query.dispose();
    return { query };
  }),
  'a tensor of another backend': wrong('BACKEND_MISMATCH', () => ({
    value: reference().zeros({ shape: [1, 2, TOKENS, 3] }),
  })),
  'an auxiliary tensor of another backend': wrong('BACKEND_MISMATCH', (_, { aux }) => ({
    aux: { ...aux, perKey: reference().zeros({ shape: [1, 1, TOKENS, 4] }) },
  })),
};

/** The error of a call, which must leave memory as it was; the tensors of its inputs are freed. */
async function refusal(
  backend: Backend,
  inputs: Record<string, unknown>,
  call: (inputs: RunInputs) => Promise<unknown>,
): Promise<unknown> {
  const before = backend.memory();
  const error: unknown = await call(inputs as never).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(backend.memory()).toEqual(before);
  for (const input of Object.values(inputs))
    if (input instanceof Object && 'dispose' in input) (input as { dispose(): void }).dispose();
  return error;
}

describe('wrong inputs are refused before anything is allocated', () => {
  for (const [name, { code, inputs }] of Object.entries(wrongInputs)) {
    it(name, () =>
      leakFree(async (backend) => {
        const attention = createAttention({ ...LAYER, backend, strategy: demanding() });
        const make = (): Record<string, unknown> => {
          const right = rightInputs();
          return { ...right, ...inputs(backend, right) };
        };
        expect(await refusal(backend, make(), (given) => attention.run(given))).toMatchObject({
          code,
        });

        const sequence = attention.sequence();
        (await sequence.attend(rightInputs())).dispose();
        const error = await refusal(backend, make(), (given) => sequence.attend(given));
        expect(error).toMatchObject({ code });
        expect(error).toHaveProperty('expected');
        expect(error).toHaveProperty('actual');
        expect(sequence.lengths).toEqual([TOKENS]);
        sequence.dispose();
      }),
    );
  }

  it('says which input, what it should have been, and what it is', () =>
    leakFree(async (backend) => {
      const attention = createAttention({ ...LAYER, backend, strategy: demanding() });
      const message = async (name: string): Promise<string> => {
        const right = rightInputs();
        const given = { ...right, ...wrongInputs[name].inputs(backend, right) };
        return ((await refusal(backend, given, (inputs) => attention.run(inputs))) as Error)
          .message;
      };
      expect(await message('a key of another width')).toMatchInlineSnapshot(
        `"run: key: expected [1, 2, tokens, 4], a multiple of 8 numbers, got 30"`,
      );
      expect(await message('a value as wide as a key')).toMatchInlineSnapshot(
        `"run: value: expected [1, 2, 3, 3], 18 numbers, got 24"`,
      );
      expect(await message('a tensor in the other layout')).toMatchInlineSnapshot(
        `"run: query: expected shape [1, 4, 4, 4], got [1, 3, 4, 4]"`,
      );
      expect(await message('an auxiliary tensor too few')).toMatchInlineSnapshot(`
        "run: expected aux.perKey, got undefined
          hint: demanding requires it"
      `);
      expect(await message('more queries than keys')).toMatchInlineSnapshot(`
        "run: expected at most as many queries as keys when causal, 3, got 4
          hint: pass causal: false for cross-attention"
      `);
      expect(await message('a tensor of another backend')).toMatchInlineSnapshot(`
        "run: value: expected a tensor of backend reference, got one of reference
          hint: read it with data() and give the numbers, or make it with this backend (another instance is another backend)"
      `);
      expect(await message('a length beyond the keys')).toMatchInlineSnapshot(
        `"run: expected lengths to be whole numbers from 0 to 3, got 4"`,
      );
      expect(await message('a query of plain numbers')).toMatchInlineSnapshot(
        `"run: query: expected a Float32Array or a Tensor, got [1, 2, 3]"`,
      );
    }));

  it('refuses a plan to repeat together with one to adapt, and plans that are gone', () =>
    leakFree(async (backend) => {
      const attention = createAttention({ ...LAYER, backend, strategy: everyEntry() });
      const { query, key, value } = rightInputs();
      const kept = await attention.run({ query, key, value, keepPlan: true });
      const plan = kept.plan!;
      await expect(attention.run({ query, key, value, plan, from: plan })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        actual: 'both',
      });
      kept.dispose();
      const sequence = attention.sequence();
      for (const late of [{ plan }, { from: plan }]) {
        for (const one of [attention.run.bind(attention), sequence.attend.bind(sequence)]) {
          const error = await refusal(backend, { query, key, value, ...late }, one);
          expect(error).toMatchObject({ name: 'LifetimeError', code: 'TENSOR_DISPOSED' });
        }
      }
      sequence.dispose();
    }));

  it('refuses a call without inputs', () =>
    leakFree(async (backend) => {
      const attention = createAttention({ ...LAYER, backend, strategy: everyEntry() });
      await expect(attention.run(undefined as never)).rejects.toMatchObject({ name: 'InputError' });
    }));

  it('refuses a batch that is no number of rows, and inputs of another batch', () =>
    leakFree(async (backend) => {
      const attention = createAttention({ ...LAYER, backend, strategy: everyEntry() });
      const { query, key, value } = rightInputs();
      for (const batch of [0, -1, 1.5, NaN]) {
        const error = await refusal(backend, { query, key, value, batch }, (one) =>
          attention.run(one),
        );
        expect(error).toMatchObject({ code: 'INVALID_OPTION', actual: batch });
      }
      const error = await refusal(backend, { query, key, value, batch: 5 }, (one) =>
        attention.run(one),
      );
      expect(error).toMatchObject({ code: 'INVALID_SHAPE' });
    }));

  it('refuses a value where values are keys, and needs none', () =>
    leakFree(async (backend) => {
      const attention = createAttention({
        ...LAYER,
        backend,
        strategy: everyEntry(),
        values: 'key',
      });
      const { query, key, value } = rightInputs();
      const error = await refusal(backend, { query, key, value }, (one) => attention.run(one));
      expect(error).toMatchObject({ code: 'INVALID_OPTION', actual: 'one' });
      (await attention.run({ query, key })).dispose();
    }));
});

describe('the same numbers in another form', () => {
  const text = new Text(7, { batch: 2 });
  const { query, key, value, lengths } = text.take({ first: [0, 0], counts: [7, 4] });
  const rows = { heads: 4, kvHeads: 2 };

  /** `[batch, heads, tokens, width]` as `[batch, tokens, heads, width]`. */
  function swapped(data: Float32Array, heads: number): Float32Array {
    const width = data.length / (2 * heads * 7);
    return data.map((_, i) => {
      const [d, head] = [i % width, Math.floor(i / width) % heads];
      const [token, row] = [
        Math.floor(i / (width * heads)) % 7,
        Math.floor(i / (width * heads * 7)),
      ];
      return data[((row * heads + head) * 7 + token) * width + d];
    });
  }

  async function outputOf(attention: Attention, inputs: RunInputs): Promise<Float32Array> {
    const result = await attention.run({ ...inputs, batch: 2, lengths });
    const output = await result.output.data();
    result.dispose();
    return output;
  }

  it('gives the same output: arrays and tensors, both layouts', () =>
    leakFree(async (backend) => {
      const options = { ...LAYER, backend, strategy: everyEntry(), queryChunk: 3 };
      const plain = await outputOf(createAttention(options), { query, key, value });

      const tensors = {
        query: backend.tensor(query, { shape: [2, 4, 7, 4] }),
        key: backend.tensor(key, { shape: [2, 2, 7, 4] }),
        value: backend.tensor(value, { shape: [2, 2, 7, 3] }),
      };
      expect(await outputOf(createAttention(options), tensors)).toEqual(plain);
      for (const tensor of Object.values(tensors)) tensor.dispose();

      const other = createAttention({ ...options, layout: 'bthd' });
      const given = {
        query: swapped(query, rows.heads),
        key: swapped(key, rows.kvHeads),
        value: swapped(value, rows.kvHeads),
      };
      const output = await outputOf(other, given);
      expect(output).toEqual(swapped(plain, rows.heads));

      const swappedTensors = {
        query: backend.tensor(given.query, { shape: [2, 7, 4, 4] }),
        key: backend.tensor(given.key, { shape: [2, 7, 2, 4] }),
        value: backend.tensor(given.value, { shape: [2, 7, 2, 3] }),
      };
      expect(await outputOf(other, swappedTensors)).toEqual(output);
      for (const tensor of Object.values(swappedTensors)) tensor.dispose();
    }));

  it('leaves the inputs as they were, and the caller their owner', () =>
    leakFree(async (backend) => {
      const attention = createAttention({
        ...LAYER,
        backend,
        strategy: everyEntry(),
        layout: 'bthd',
      });
      const given = { query: query.slice(), key: key.slice(), value: value.slice() };
      await outputOf(attention, given);
      expect(given).toEqual({ query, key, value });

      const tensor = backend.tensor(query, { shape: [2, 7, 4, 4] });
      await outputOf(attention, { ...given, query: tensor });
      expect(await tensor.data()).toEqual(query);
      tensor.dispose();
    }));
});
