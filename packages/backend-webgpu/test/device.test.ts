import { type JitAttentionError } from '@jit-attention/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { sizeClass } from '../src/device/pool.js';
import { webgpu, type WebGpuBackend } from '../src/index.js';
import { hasAdapter, NO_ADAPTER } from './support/backends.js';

const FAILED = expect.objectContaining({ code: 'BACKEND_FAILED' }) as Error;
/** Of `GPUBufferUsage`, which Node has no global for. */
const STORAGE = 0x80;

const found = await hasAdapter();

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  let backend: WebGpuBackend;
  beforeEach(async () => void (backend = await webgpu()));
  afterEach(() => backend.dispose());

  const numbers = (on = backend) => on.tensor(Float32Array.of(3, 1, 4, 1), { shape: [1, 4] });

  async function stillWorks(on = backend): Promise<void> {
    const sums = on.hadamard(numbers(on));
    expect([...(await sums.data())]).toEqual([4.5, 2.5, -0.5, -0.5]);
  }

  async function failureOf(call: () => unknown): Promise<JitAttentionError> {
    try {
      await call();
    } catch (error) {
      return error as JitAttentionError;
    }
    throw new Error('expected a failure, got none');
  }

  describe('a device that is lost', () => {
    it('fails what waits, later calls at once, with the same error; a fresh backend works', async () => {
      const results = Array.from({ length: 20 }, () => backend.hadamard(numbers()));
      backend.device.destroy();
      const error = await failureOf(() => results[19].data());
      expect(error).toEqual(FAILED);
      expect(error.message).toMatch(/the device was lost \(destroyed\).*fresh one/s);
      expect(await failureOf(() => results[0].data())).toBe(error);
      expect(await failureOf(() => numbers())).toBe(error);
      expect(await failureOf(() => backend.hadamard(results[0]))).toBe(error);
      const fresh = await webgpu();
      await stillWorks(fresh);
      await fresh.dispose();
    });

    it('is told to those who wait already', async () => {
      const result = backend.hadamard(numbers());
      const waiting = failureOf(() => result.data());
      backend.device.destroy();
      expect((await waiting).message).toContain('lost');
    });

    it('is told when the caller destroys a device of his own', async () => {
      const [one, other] = await Promise.all([shared(), shared()]);
      one.device.destroy();
      const { device } = one;
      await device.lost;
      expect(await failureOf(() => numbers(one))).toEqual(FAILED);
      await stillWorks(other);
      await Promise.all([one.dispose(), other.dispose()]);
    });
  });

  it('surfaces what the device finds invalid at the next wait, and goes on', async () => {
    const buffer = backend.device.createBuffer({ size: 64, usage: STORAGE });
    const borrowed = backend.fromBuffer(buffer, { shape: [1, 16] });
    buffer.destroy();
    const result = backend.hadamard(borrowed);
    const error = await failureOf(() => result.data());
    expect(error).toEqual(FAILED);
    expect(error.message).toContain('validation error');
    await stillWorks();
  });

  it('surfaces errors that nobody else takes, on a device of its own', async () => {
    backend.device.createBuffer({ size: 4, usage: STORAGE | 0x1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const error = await failureOf(() => numbers().data());
    expect(error.message).toContain('error of the device');
    await stillWorks();
  });

  it('ends with the memory of the device', async () => {
    const { maxBufferSize } = backend.device.limits;
    const tensors = Array.from({ length: 8 }, () => backend.zeros({ shape: [maxBufferSize / 4] }));
    const error = await failureOf(() => tensors[0].data());
    expect(error).toEqual(FAILED);
    expect(error.message).toContain('out-of-memory');
    expect(await failureOf(() => numbers())).toBe(error);
    const fresh = await webgpu();
    await stillWorks(fresh);
    await fresh.dispose();
  });

  it('names the limit of a buffer that is larger, what was needed and what there is', async () => {
    const { maxBufferSize } = backend.device.limits;
    const error = await failureOf(() => backend.zeros({ shape: [maxBufferSize] }));
    expect(error.message).toContain(`maxBufferSize of at least ${4 * maxBufferSize}`);
    expect(error).toMatchObject({ code: 'BACKEND_FAILED', actual: maxBufferSize });
    await stillWorks();
  });

  it('holds nothing once it is disposed of, on a device that goes on', async () => {
    const { device } = await shared();
    const one = await webgpu({ device });
    numbers(one);
    one.submit();
    numbers(one).dispose();
    expect(one.buffers().buffers).toBeGreaterThan(0);
    await one.dispose();
    expect(one.buffers()).toEqual({ buffers: 0, bytes: 0, idleBytes: 0 });
    expect(await failureOf(() => numbers(one))).toEqual(FAILED);
    const other = await webgpu({ device });
    await stillWorks(other);
    await other.dispose();
    device.destroy();
  });

  it('uses buffers again: steps of the same sizes take no more memory', async () => {
    const cache = backend.zeros({ shape: [64, 2, 16, 8] });
    const step = (i: number): void => {
      const row = backend.tensor(new Float32Array(16), { shape: [1, 2, 1, 8] });
      const turned = backend.rotary(row, { frequencies: [1, 0.1, 0.01, 0.001], first: [i] });
      backend.writeRows(cache, turned, Int32Array.of(i % 1024));
      const sums = backend.hadamard(turned);
      for (const tensor of [row, turned, sums]) tensor.dispose();
      backend.submit();
    };
    for (let i = 0; i < 20; i++) step(i);
    await backend.submitted();
    const { buffers, bytes } = backend.buffers();
    for (let i = 20; i < 1020; i++) step(i);
    await cache.data();
    expect(backend.buffers().buffers).toBeLessThanOrEqual(buffers);
    expect(backend.buffers().bytes).toBeLessThanOrEqual(bytes);
    expect(backend.memory().tensors).toBe(1);
  });

  /** A backend on a device that somebody else made. */
  async function shared(): Promise<WebGpuBackend> {
    const { device } = await webgpu();
    return webgpu({ device });
  }
});

describe('sizes of buffers', () => {
  it('are four an octave, and waste at most a fifth', () => {
    const sizes = Array.from({ length: 4000 }, (_, i) => 256 + 37 * i * i);
    for (const bytes of sizes) {
      expect(sizeClass(bytes)).toBeGreaterThanOrEqual(bytes);
      expect(sizeClass(bytes)).toBeLessThanOrEqual(1.25 * bytes);
    }
    expect(new Set(sizes.map(sizeClass)).size).toBeLessThan(100);
  });
});
