/** The CPU backend of jit-attention: WASM SIMD kernels and worker threads. */
export { cpu, type CpuOptions } from './cpu.js';
export type { CpuBackend } from './backend.js';
