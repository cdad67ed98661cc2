import {
  audit,
  type Backend,
  createAttention,
  InputError,
  JitAttentionError,
  reference,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { errorWith } from './support/errors.js';
import { everyEntry } from './support/strategies.js';

const backend = reference();
const right = { backend, strategy: everyEntry(), heads: 4, kvHeads: 2, headDim: 8 };

/** What `createAttention` throws with these options changed; any of them may be nonsense. */
function refusal(wrong: Record<string, unknown>): JitAttentionError {
  try {
    createAttention({ ...right, ...wrong });
  } catch (error) {
    if (JitAttentionError.is(error)) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(wrong)}`);
}

const notWhole = [0, -1, 1.5, NaN, Infinity, '4', null];
const wrong: Record<string, readonly unknown[]> = {
  backend: [undefined, null, 'cpu', {}, reference],
  strategy: [undefined, null, 'dense', {}, everyEntry],
  heads: [undefined, ...notWhole],
  kvHeads: [...notWhole, 3, 8],
  headDim: [undefined, ...notWhole, 577],
  valueDim: [...notWhole, 577],
  scale: [NaN, Infinity, 0, -1, '1', null],
  softcap: [NaN, Infinity, 0, -1, '1', null],
  pageSize: notWhole,
  queryChunk: notWhole,
  rollback: [-1, 1.5, NaN, Infinity, '4', null],
  values: ['keys', '', 1, null],
  layout: ['bhdt', 1, null],
  storage: ['f64', 'i32', 1, null],
  sinkLogits: [[], [1, 2, 3], new Float32Array(5), [1, 2, 3, NaN]],
  kvheads: [2],
};

describe('createAttention', () => {
  for (const [name, values] of Object.entries(wrong)) {
    it(`refuses a wrong ${name}, before anything is allocated`, () => {
      for (const value of values) {
        const error = refusal({ [name]: value });
        expect(error, String(value)).toBeInstanceOf(InputError);
        expect(error).toMatchObject({ code: 'INVALID_OPTION', name: 'InputError' });
        expect(error.expected).toEqual(expect.any(String));
        expect('actual' in error).toBe(true);
        expect(error.message).toContain(
          `createAttention: expected ${String(error.expected)}, got `,
        );
      }
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    });
  }

  it('says what is wrong, what came, and what to do', () => {
    const message = (options: Record<string, unknown>): string => refusal(options).message;
    expect(message({ heads: 6, kvHeads: 4 })).toMatchInlineSnapshot(
      `"createAttention: expected heads to be a multiple of kvHeads 4, got 6"`,
    );
    expect(message({ headDim: 1024 })).toMatchInlineSnapshot(
      `"createAttention: expected headDim to be a whole number from 1 to 576, got 1024"`,
    );
    expect(message({ scale: NaN })).toMatchInlineSnapshot(
      `"createAttention: expected scale to be finite and above 0, got NaN"`,
    );
    expect(message({ strategy: everyEntry })).toMatchInlineSnapshot(
      `"createAttention: expected a strategy, an object with plan() (a factory that was not called?), got function everyEntry"`,
    );
    expect(message({ values: 'key', valueDim: 9 })).toMatchInlineSnapshot(
      `"createAttention: expected valueDim of at most headDim 8, as values are a prefix of the keys, got 9"`,
    );
    expect(message({ kvheads: 2 })).toMatchInlineSnapshot(
      `"createAttention: expected only the options backend, strategy, heads, kvHeads, headDim, valueDim, scale, values, layout, storage, pageSize, queryChunk, rollback, sinkLogits, softcap, got an unknown one, kvheads"`,
    );
    expect(message({ sinkLogits: [1, 2] })).toMatchInlineSnapshot(
      `"createAttention: expected 4 sinkLogits, one a head, got 2"`,
    );
    expect(message({ storage: 'f64' })).toMatchInlineSnapshot(
      `"createAttention: expected storage to be 'f32' or 'f16' or 'i8', got f64"`,
    );
    expect(message({ strategy: { ...everyEntry(), apiVersion: 2 } })).toMatchInlineSnapshot(`
      "createAttention: expected a strategy of apiVersion 1, got 2
        hint: update everyEntry or @jit-attention/core, so that both speak the same version"
    `);
  });

  it('refuses no options at all', () => {
    expect(() => createAttention(undefined as never)).toThrow(InputError);
  });

  it('refuses plugins made for another version', () => {
    const later = Object.create(backend, { apiVersion: { value: 2 } }) as Backend;
    expect(refusal({ backend: later })).toMatchObject({ code: 'UNSUPPORTED', actual: 2 });
    const strategy = { ...everyEntry(), apiVersion: undefined };
    expect(refusal({ strategy })).toMatchObject({ code: 'UNSUPPORTED', actual: undefined });
  });

  it("refuses auxiliary tensors that bear the cache's own names", () => {
    const strategy = everyEntry({ requires: { keys: { per: 'key', heads: 1, width: 1 } } });
    expect(refusal({ strategy })).toMatchObject({ code: 'INVALID_OPTION', actual: 'keys' });
  });

  it('lets the strategy refuse a layer', () => {
    const error = new InputError('no', { code: 'UNSUPPORTED' });
    const strategy = everyEntry({
      validate({ headDim }) {
        if (headDim === 8) throw error;
      },
    });
    expect(refusal({ strategy })).toBe(error);
  });

  it('fills in the defaults', () => {
    const { layer, strategy } = createAttention({
      backend,
      strategy: everyEntry(),
      heads: 4,
      headDim: 16,
    });
    expect(strategy.name).toBe('everyEntry');
    expect(layer).toEqual({
      heads: 4,
      kvHeads: 4,
      headDim: 16,
      valueDim: 16,
      scale: 0.25,
      softcap: undefined,
      pageSize: 64,
      queryChunk: 512,
      rollback: 256,
    });
  });
});

describe('sequence', () => {
  const attention = createAttention(right);

  it('refuses a wrong batch or capacity, before anything is allocated', () => {
    for (const name of ['batch', 'capacity']) {
      for (const value of notWhole) {
        expect(() => attention.sequence({ [name]: value })).toThrow(
          errorWith({ code: 'INVALID_OPTION', actual: value }),
        );
      }
    }
    expect(() => attention.sequence({ capcity: 3 } as never)).toThrow(InputError);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });
});

describe('audit', () => {
  it('refuses wrong shares and delays', () => {
    for (const options of [
      { sample: -0.1 },
      { sample: 1.1 },
      { sample: NaN },
      { minRecall: 2 },
      { delay: 0 },
      { delay: 1.5 },
      { sampel: 1 },
    ]) {
      expect(() => audit(everyEntry(), options as never)).toThrow(
        errorWith({ code: 'INVALID_OPTION' }),
      );
    }
  });
});
