/**
 * The WebGPU backend of jit-attention.
 *
 * @packageDocumentation
 */
export type { WebGpuBackend } from './backend.js';
export type { PoolCounters } from './device/pool.js';
export { WebGpuTensor } from './tensor.js';
export { webgpu, type WebGpuOptions } from './webgpu.js';
