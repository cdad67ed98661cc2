import { jax } from './jax.js';
import { ONNX_ATTENTION } from './onnx-operators.js';
import { onnxruntime, type Runtime } from './onnxruntime.js';
import { ours } from './ours.js';
import type { Peer } from './peer.js';

/** Where the page finds ONNX Runtime's WASM. */
export const ONNXRUNTIME_FILES = '/onnxruntime/';

const runtime: Runtime = {
  name: 'onnxruntime-web webgpu',
  provider: 'webgpu',
  backend: 'webgpu',
  host: 'chromium',
  async load() {
    const web = await import('onnxruntime-web/webgpu');
    web.env.wasm.wasmPaths = ONNXRUNTIME_FILES;
    web.env.wasm.numThreads = 1;
    return web;
  },
};

/** What runs on WebGPU in a page; ours first. */
export const IN_CHROMIUM: readonly Peer[] = [
  ours,
  ...ONNX_ATTENTION.map((operator) => onnxruntime(runtime, operator)),
  jax('webgpu'),
];
