import { holds } from '@jit-attention/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Blocks } from '../src/blocks.js';

/** Bytes to take, or (negative) which of the blocks that are taken to give back. */
const steps = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: -100, max: -1 })),
  {
    maxLength: 200,
  },
);

interface Taken {
  readonly ptr: number;
  readonly bytes: number;
}

function assertDisjoint(taken: readonly Taken[], base: number, top: number): void {
  let end = base;
  for (const { ptr, bytes } of [...taken].sort((a, b) => a.ptr - b.ptr)) {
    if (ptr % 64 !== 0 || ptr < end) throw new Error(`block at ${ptr} overlaps or is not aligned`);
    end = ptr + bytes;
  }
  if (end > top) throw new Error(`block ends at ${end}, beyond ${top}`);
}

describe('Blocks', () => {
  it('gives out aligned blocks that never overlap, and forgets none', () =>
    // eslint-disable-next-line @typescript-eslint/require-await
    holds([steps], async (list) => {
      const blocks = new Blocks(100);
      const taken: Taken[] = [];
      for (const step of list) {
        if (step >= 0) taken.push({ ptr: blocks.take(step), bytes: step });
        else if (taken.length > 0) blocks.give(taken.splice(-step % taken.length, 1)[0].ptr);
        assertDisjoint(taken, 100, blocks.top);
      }
      for (const { ptr } of taken) blocks.give(ptr);
      expect([blocks.used, blocks.top]).toEqual([0, 128]);
    }));

  it('uses what was given back before it takes more', () => {
    const blocks = new Blocks(0);
    const [first, second] = [blocks.take(1000), blocks.take(64)];
    blocks.give(first);
    const { top } = blocks;
    expect(blocks.take(960)).toBe(first);
    expect(blocks.top).toBe(top);
    expect(second).toBe(1024);
  });

  it('takes the smallest free block that fits', () => {
    const blocks = new Blocks(0);
    const [large, , small] = [640, 64, 128, 64].map((bytes) => blocks.take(bytes));
    blocks.give(large);
    blocks.give(small);
    expect(blocks.take(128)).toBe(small);
  });

  it('lets alone what it has not given out', () => {
    const blocks = new Blocks(0);
    const ptr = blocks.take(64);
    blocks.give(ptr + 64);
    blocks.give(ptr);
    blocks.give(ptr);
    expect(blocks.used).toBe(0);
  });
});
