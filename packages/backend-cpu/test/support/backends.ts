import type { Backend } from '@jit-attention/core';

import { cpu, type CpuOptions } from '../../src/index.js';

/** Both builds of the kernels, on one and two threads. */
export const CONFIGURATIONS: readonly Required<CpuOptions>[] = [
  { simd: 'relaxed', threads: 1 },
  { simd: 'relaxed', threads: 2 },
  { simd: 'simd128', threads: 1 },
  { simd: 'simd128', threads: 2 },
];

export const named = ({ simd, threads }: CpuOptions): string => `${simd}, ${threads} threads`;

/** Runs on a fresh backend, and ends it; nothing may be left on it. */
export async function onCpu(
  options: CpuOptions,
  body: (backend: Backend) => void | Promise<void>,
): Promise<void> {
  const backend = await cpu(options);
  try {
    await body(backend);
  } finally {
    await backend.dispose?.();
  }
}
