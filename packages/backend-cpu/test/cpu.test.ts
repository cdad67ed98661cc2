import type { Backend } from '@jit-attention/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { cpu, type CpuOptions } from '../src/index.js';
import { onCpu } from './support/backends.js';

const code = (code: string) => expect.objectContaining({ code }) as unknown;

/** A host that accepts no module, or none longer than the one that asks for plain SIMD. */
function refuse(what: 'simd' | 'relaxed simd'): void {
  const validate = WebAssembly.validate.bind(WebAssembly);
  vi.spyOn(WebAssembly, 'validate').mockImplementation((bytes) =>
    what === 'simd' || bytes.byteLength > 31 ? false : validate(bytes),
  );
}

describe('cpu', () => {
  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  /** A copy of the module that has warned of nothing yet. */
  const fresh = async (options?: CpuOptions): Promise<Backend> =>
    (await import('../src/index.js')).cpu(options);

  it.each([
    [{ threads: 0 }],
    [{ threads: 1.5 }],
    [{ threads: 1000 }],
    [{ simd: 'avx' as 'relaxed' }],
    [{ workers: 2 } as CpuOptions],
  ])('refuses %o', async (options) => {
    await expect(cpu(options)).rejects.toEqual(code('INVALID_OPTION'));
  });

  it('is named cpu, and computes', () =>
    onCpu({}, async (backend) => {
      expect(backend.name).toBe('cpu');
      const x = backend.tensor(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] });
      expect([...(await backend.permute(x, [1, 0]).data())]).toEqual([1, 3, 2, 4]);
    }));

  it("is core's reference with simd 'none', without a word", async () => {
    expect((await cpu({ simd: 'none' })).name).toBe('reference');
    expect(console.warn).not.toHaveBeenCalled();
  });

  it("is core's reference on a host without SIMD, and says so once", async () => {
    refuse('simd');
    const { cpu } = await import('../src/index.js');
    for (let i = 0; i < 2; i++) expect((await cpu()).name).toBe('reference');
    expect(console.warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('no WASM SIMD'));
  });

  it('runs the plain build where relaxed SIMD is refused', async () => {
    refuse('relaxed simd');
    const backend = await fresh({ threads: 1 });
    expect(backend.name).toBe('cpu');
    await expect(fresh({ simd: 'relaxed' })).rejects.toEqual(code('UNSUPPORTED'));
  });

  it('runs on one thread without cross-origin isolation, and says so once', async () => {
    vi.stubGlobal('crossOriginIsolated', false);
    const { cpu } = await import('../src/index.js');
    for (let i = 0; i < 2; i++) {
      const backend = await cpu({ threads: 4 });
      const x = backend.tensor(new Float32Array(1e6), { shape: [1e4, 100] });
      expect(backend.norm(x, { kind: 'rms', eps: 1 }).shape).toEqual([1e4, 100]);
    }
    expect(console.warn).toHaveBeenCalledExactlyOnceWith(
      expect.stringContaining('cross-origin isolation'),
    );
  });

  it('says that memory has run out, changes nothing, and goes on', () =>
    onCpu({ threads: 1 }, async (backend) => {
      const x = backend.tensor(Float32Array.of(1, 2), { shape: [1, 2] });
      expect(() => backend.zeros({ shape: [1 << 16, 1 << 15] })).toThrow(code('BACKEND_FAILED'));
      expect(backend.memory()).toEqual({ tensors: 1, bytes: 8 });
      expect([...(await x.data())]).toEqual([1, 2]);
      await onCpu({ threads: 1 }, (other) => {
        expect(other.zeros({ shape: [4] }).size).toBe(4);
      });
    }));

  it('counts its tensors and their bytes', () =>
    onCpu({ threads: 1 }, (backend) => {
      const x = backend.zeros({ shape: [1 << 12, 1 << 12] });
      const doubled = backend.permute(x, [1, 0]);
      expect(backend.memory().bytes).toBe(2 ** 27);
      x.dispose();
      doubled.dispose();
      expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    }));

  it('fails by name after dispose', async () => {
    const backend = await cpu({ threads: 1 });
    const x = backend.tensor(Float32Array.of(1), { shape: [1, 1] });
    await backend.dispose?.();
    await backend.dispose?.();
    expect(() => backend.zeros({ shape: [1] })).toThrow(code('BACKEND_FAILED'));
    await expect(x.data()).rejects.toEqual(code('BACKEND_FAILED'));
    x.dispose();
  });
});
