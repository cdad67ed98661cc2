import { describe, expect, it } from 'vitest';

import { ChunkArena } from '../src/arena.js';
import { createMemory, WasmMemory } from '../src/memory.js';

const MiB = 2 ** 20;

describe('WasmMemory', () => {
  it('grows by what is needed, and by 1 MiB at least', () => {
    const memory = new WasmMemory(createMemory(false), 1024);
    memory.allocate(64);
    expect(memory.size).toBeLessThanOrEqual(MiB + 65_536);
    memory.allocate(100 * MiB);
    expect(memory.size).toBeLessThan(102 * MiB);
    expect(memory.used).toBe(64 + 100 * MiB);
  });

  it('does not grow for what fits where something was freed', () => {
    const memory = new WasmMemory(createMemory(true), 0);
    const first = memory.allocate(10 * MiB);
    memory.allocate(64);
    const { size } = memory;
    memory.free(first);
    memory.allocate(6 * MiB);
    memory.allocate(4 * MiB);
    expect(memory.size).toBe(size);
  });

  it('names what it could not have, and loses nothing', () => {
    const memory = new WasmMemory(createMemory(false), 0);
    const { used } = memory;
    expect(() => memory.allocate(2 ** 33)).toThrow(/no memory for \d+ bytes/);
    expect(memory.used).toBe(used);
    expect(memory.i32(memory.allocate(16), 4)).toHaveLength(4);
  });
});

describe('ChunkArena', () => {
  it('gives out memory that stays while more is taken, and all of it back', () => {
    const memory = new WasmMemory(createMemory(false), 0);
    const arena = new ChunkArena(memory);
    const { used } = memory;
    for (let call = 0; call < 3; call++) {
      const lists = Array.from({ length: 50 }, (_, i) => [
        i,
        arena.i32(new Array(1 + 99 * i).fill(i)),
      ]);
      const large = arena.bytes(MiB);
      const floats = arena.f64([0.1, 0.2]);
      expect(large % 64).toBe(0);
      memory.u8(large, MiB).fill(1);
      for (const [i, ptr] of lists)
        expect(new Set(memory.i32(ptr, 1 + 99 * i))).toEqual(new Set([i]));
      expect([...memory.f64(floats, 2)]).toEqual([0.1, 0.2]);
      arena.reset();
      expect(memory.used).toBe(used);
    }
  });

  it('serves small calls from the same place every time', () => {
    const arena = new ChunkArena(new WasmMemory(createMemory(false), 0));
    const first = arena.f32([1]);
    arena.reset();
    expect(arena.f32([2])).toBe(first);
  });
});
