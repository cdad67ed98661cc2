import { jax } from './jax.js';
import { ONNX_ATTENTION } from './onnx-operators.js';
import { onnxruntime, type Ort, type Runtime } from './onnxruntime.js';
import type { Peer } from './peer.js';
import { tfjs } from './tfjs.js';

/** Native code: AVX-512 where the machine has it. */
const node = {
  name: 'onnxruntime-node',
  load: async (): Promise<Ort> => import('onnxruntime-node'),
};
const wasm: Runtime = {
  name: 'onnxruntime-web',
  provider: 'wasm',
  backend: 'cpu',
  async load() {
    const web = await import('onnxruntime-web');
    web.env.wasm.numThreads = 1;
    return web;
  },
};

const operatorsOf = (runtime: Runtime): readonly Peer[] =>
  ONNX_ATTENTION.map((operator) => onnxruntime(runtime, operator));

/** A new peer gets its line here; those of one package together. What runs in pages is in `in-chromium.ts`. */
export const NATIVE: readonly Peer[] = operatorsOf({ ...node, provider: 'cpu', backend: 'cpu' });
export const WEB: readonly Peer[] = operatorsOf(wasm);
export const NATIVE_WEBGPU: readonly Peer[] = operatorsOf({
  ...{ ...node, name: 'onnxruntime-node webgpu', provider: 'webgpu', backend: 'webgpu' },
});
export const JAVASCRIPT: readonly Peer[] = [tfjs, jax('wasm')];

export const ON_CPU: readonly Peer[] = [...NATIVE, ...WEB, ...JAVASCRIPT];
export const PEERS: readonly Peer[] = [...ON_CPU, ...NATIVE_WEBGPU];
