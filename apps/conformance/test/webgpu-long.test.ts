import { cpu } from '@jit-attention/backend-cpu';
import { webgpu } from '@jit-attention/backend-webgpu';
import { type Backend, entriesOf, topk } from '@jit-attention/core';
import { hasAdapter, NO_ADAPTER } from '@jit-attention/testkit/exams/adapter';
import { describe, expect, it } from 'vitest';

const isThere = await hasAdapter(webgpu);
const TOKENS = 131_072;
const WIDTH = 4;

/** Whole numbers: scores are the same on every backend, and many of them are ties. */
const whole = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => ((i * 2_654_435_761) >>> 8) % 512);

async function picked(backend: Backend, k: number): Promise<number[]> {
  const keys = backend.tensor(whole(TOKENS * WIDTH), { shape: [1, 1, TOKENS, WIDTH] });
  const query = backend.tensor(Float32Array.of(1, 2, -1, 1), { shape: [1, 1, 1, WIDTH] });
  const over = entriesOf(keys);
  const { ids, counts } = backend.select({
    score: { kind: 'dot', query, keys: over, scale: 1 },
    over,
    positions: { first: [TOKENS - 1], counts: [1], tokens: 1 },
    pick: topk(k),
  });
  const [count] = await counts.data();
  const all = [...(await ids.data())].slice(0, count).sort((a, b) => a - b);
  for (const tensor of [ids, counts, keys, query]) tensor.dispose();
  return all;
}

describe.skipIf(!isThere)(isThere ? 'on WebGPU' : `on WebGPU (${NO_ADAPTER})`, () => {
  it.each([1, 2048, TOKENS])(
    'the best %i of 131,072 scores are those that the CPU backend picks, ties included',
    async (k) => {
      const backends = [await cpu(), await webgpu()];
      const [expected, found] = await Promise.all(backends.map((backend) => picked(backend, k)));
      expect(expected.length).toBe(k);
      expect(found).toEqual(expected);
      for (const backend of backends) await backend.dispose?.();
    },
    180_000,
  );
});
