import { type AttentionStrategy, createAttention, type IndexPart } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { attendNext, attendRows } from './support/calls.js';
import { errorWith } from './support/errors.js';
import { leakFree } from './support/leaks.js';
import { bestPages, everyEntry } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const SMALL = { ...LAYER, pageSize: 4, queryChunk: 5, rollback: 6 };
describe('capacity', () => {
  it('is a hard limit; a call beyond it changes nothing', () =>
    leakFree(async (backend) => {
      const text = new Text(20, { batch: 2 });
      const layer = createAttention({ ...SMALL, backend, strategy: bestPages(2) });
      const [limited, free] = [
        layer.sequence({ batch: 2, capacity: 10 }),
        layer.sequence({ batch: 2 }),
      ];
      for (const sequence of [limited, free]) await attendRows(sequence, text, [4, 8]);
      const before = backend.memory();
      const error: unknown = await attendRows(limited, text, [1, 3]).catch(
        (error: unknown) => error,
      );
      expect(error).toMatchObject({
        name: 'CacheError',
        code: 'CAPACITY_EXCEEDED',
        expected: 10,
        actual: 11,
      });
      expect((error as Error).message).toMatchInlineSnapshot(`
        "sequence: expected at most 10 tokens (capacity), got 11
          hint: give sequence() a larger capacity, or none to let it grow"
      `);
      expect(backend.memory()).toEqual(before);
      expect(limited.lengths).toEqual([4, 8]);
      const counts = [6, 2];
      expect(await attendRows(limited, text, counts)).toEqual(await attendRows(free, text, counts));
      expect(limited.lengths).toEqual([10, 10]);
      await expect(attendRows(limited, text, [1, 0])).rejects.toMatchObject({
        code: 'CAPACITY_EXCEEDED',
      });
      limited.truncate(9);
      await attendRows(limited, text, [1, 1]);
      for (const sequence of [limited, free]) sequence.dispose();
    }));

  it('is allocated at once and never grows', () =>
    leakFree(async (backend) => {
      const sequence = createAttention({ ...SMALL, backend, strategy: everyEntry() }).sequence({
        capacity: 30,
      });
      const before = backend.memory();
      for (let i = 0; i < 30; i++) await attendNext(sequence, new Text(30), 1);
      expect(backend.memory()).toEqual(before);
      sequence.dispose();
    }));

  it('holds for forks as well', () =>
    leakFree(async (backend) => {
      const text = new Text(9);
      const parent = createAttention({ ...SMALL, backend, strategy: everyEntry() }).sequence({
        capacity: 6,
      });
      await attendNext(parent, text, 4);
      const fork = parent.fork();
      await attendNext(fork, text, 2);
      await expect(attendNext(fork, text, 1)).rejects.toMatchObject({ code: 'CAPACITY_EXCEEDED' });
      await attendNext(parent, text, 2);
      for (const sequence of [parent, fork]) sequence.dispose();
    }));

  it('holds nothing when there is no room for it, of index, keys or values', () =>
    leakFree((backend) => {
      for (const sizes of [{ valueDim: 576 }, { headDim: 576, valueDim: 1 }]) {
        const zeros = backend.zeros.bind(backend);
        // Only the narrow ones can be had.
        backend.zeros = (options) =>
          zeros(options.shape.at(-1) === 576 ? { ...options, shape: [2 ** 50] } : options);
        const layer = createAttention({ ...SMALL, ...sizes, backend, strategy: holding() });
        expect(() => layer.sequence({ capacity: 100 })).toThrow(
          errorWith({ name: 'BackendError', code: 'BACKEND_FAILED' }),
        );
        backend.zeros = zeros;
        expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
      }
    }));
});

/** Reads everything, and has an index part that holds memory from the start. */
const holding = (): AttentionStrategy =>
  everyEntry({
    index: ({ backend }) => {
      const held = backend.zeros({ shape: [4] });
      const part: IndexPart = { append: () => {}, fork: () => part, dispose: () => held.dispose() };
      return { part };
    },
  });
