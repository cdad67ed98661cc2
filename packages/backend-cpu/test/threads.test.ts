import { BackendError, type Backend, type Tensor } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { cpu } from '../src/index.js';
import { compile, link } from '../src/kernels.js';
import { createMemory, WasmMemory } from '../src/memory.js';
import { CONTROL } from '../src/threads/job.js';
import { ThreadPool } from '../src/threads/pool.js';
import { onCpu } from './support/backends.js';
import { normals } from './support/numbers.js';
import { runModule } from './support/process.js';

/** Enough work that all threads take part. */
function multiply(backend: Backend): Tensor {
  const x = backend.tensor(normals(1000 * 64, 1), { shape: [1000, 64] });
  const weight = backend.tensor(normals(256 * 64, 2), { shape: [256, 64] });
  return backend.linear(x, { weight });
}

/** A pool of one worker, and its control block. */
async function startPool(patience?: number) {
  const module = await compile('simd128', true);
  const memory = createMemory(true);
  const kernels = await link(module, memory);
  const blocks = new WasmMemory(memory, kernels.heapBase);
  const control = blocks.allocate(64);
  const pool = await ThreadPool.start(1, { module, memory, control }, patience);
  return { pool, blocks, kernels, words: blocks.i32(control, 8) };
}

/** `convertRows` of `tasks` rows of nothing, or as many that trap. */
function work(
  { blocks, kernels }: Awaited<ReturnType<typeof startPool>>,
  tasks: number,
  source = 0,
) {
  const desc = blocks.allocate(64);
  const bytes = source === 0 ? 0 : 64;
  blocks.i32(desc, 11).set([0, tasks, 1, tasks, bytes / 4, source, 0, bytes, desc, 1, 0]);
  const kernel = kernels.numbers.get('convertRows')!;
  const own = (): void => void kernels.functions.get('convertRows')!(desc, 0);
  return { kernel, desc, scratch: 0, scratchBytes: 0, own };
}

describe('threads', () => {
  it('give the same bits in any order of finishing', async () => {
    const results = new Set<string>();
    for (let run = 0; run < 3; run++) {
      await onCpu({ threads: 3 }, async (backend) => {
        for (let i = 0; i < 10; i++) {
          const product = multiply(backend);
          results.add(Buffer.from((await product.data()).buffer).toString('base64'));
        }
      });
    }
    expect(results.size).toBe(1);
  });

  it('keep up with memory that grows between and during calls', () =>
    onCpu({ threads: 2 }, async (backend) => {
      const tensors: Tensor[] = [];
      for (let i = 0; i < 200; i++) {
        const x = backend.tensor(normals(64 * 64, i), { shape: [64, 64] });
        tensors.push(x, backend.linear(x, { weight: x }), backend.permute(x, [1, 0]));
      }
      const last = await tensors.at(-1).data();
      expect(last[1]).toBe(normals(64 * 64, 199)[64]);
    }));

  it('let the process end by itself, with and without dispose', async () => {
    for (const end of ['', 'await backend.dispose();']) {
      const { code, output } = await runModule(`
        import { cpu } from './src/index.ts';
        const backend = await cpu({ threads: 3 });
        const x = backend.tensor(new Float32Array(1e6), { shape: [1e4, 100] });
        backend.norm(x, { kind: 'rms', eps: 1e-6 });
        ${end}
        console.log('done');`);
      expect({ code, output }).toEqual({ code: 0, output: 'done\n' });
    }
  });

  it('die with an error that can be caught, after which a fresh backend works', async () => {
    const site = await startPool();
    const { pool } = site;
    await pool.threads[0].terminate();
    await new Promise((resolve) => setTimeout(resolve, 10));
    const { own, ...piece } = work(site, 4);
    expect(() => pool.run(piece, own)).toThrow(BackendError);
    expect(() => pool.run(piece, own)).toThrow(/worker thread 1 died/);
    await pool.dispose();
    await onCpu({ threads: 2 }, async (backend) => {
      expect((await multiply(backend).data()).length).toBe(256_000);
    });
  });

  it('are given up when one does not come back', async () => {
    const site = await startPool(20);
    const { own, ...piece } = work(site, 4);
    // As if a worker had joined and died at once.
    const joined = (): void => {
      own();
      Atomics.add(site.words, CONTROL.gate, 1);
    };
    expect(() => site.pool.run(piece, joined)).toThrow(/has not answered for 20 ms/);
    expect(() => site.pool.run(piece, own)).toThrow(/has not answered/);
    await site.pool.dispose();
  });

  it('report a kernel that traps in a worker', async () => {
    const site = await startPool();
    const { kernel, desc } = work(site, 1000, 2 ** 32 - 64);
    const piece = { kernel, desc, scratch: 0, scratchBytes: 0 };
    const waitForWorker = (): void => {
      while (Atomics.load(site.words, CONTROL.trapped) === 0);
    };
    expect(() => site.pool.run(piece, waitForWorker)).toThrow(/trapped in 1 of the worker threads/);
    expect(Atomics.load(site.words, CONTROL.gate)).toBe(0);
    await site.pool.dispose();
  });

  it('and their memory leak nothing in 1,000 cycles', async () => {
    const before = process.memoryUsage().rss;
    const zeros = new Float32Array(1 << 19); // 2 MiB: 2 GiB if all were kept
    for (let cycle = 0; cycle < 1000; cycle++) {
      const backend = await cpu({ threads: cycle % 20 === 0 ? 2 : 1 });
      const x = backend.tensor(zeros, { shape: [1 << 9, 1 << 10] });
      backend.slice(x, { axis: 0, start: 0, end: 2 });
      await backend.dispose?.();
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 30);
    expect(process.getActiveResourcesInfo()).not.toContain('MessagePort');
  });
});
