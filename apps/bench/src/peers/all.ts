import { jax } from './jax.js';
import { ONNX_ATTENTION } from './onnx-operators.js';
import { onnxruntime } from './onnxruntime.js';
import type { Peer } from './peer.js';
import { tfjs } from './tfjs.js';

/** A new peer gets its line here; those of one package together. */
export const NATIVE: readonly Peer[] = ONNX_ATTENTION.map((operator) =>
  onnxruntime('onnxruntime-node', operator),
);
export const WEB: readonly Peer[] = ONNX_ATTENTION.map((operator) =>
  onnxruntime('onnxruntime-web', operator),
);
export const NATIVE_WEBGPU: readonly Peer[] = ONNX_ATTENTION.map((operator) =>
  onnxruntime('onnxruntime-node webgpu', operator),
);
export const JAVASCRIPT: readonly Peer[] = [tfjs, jax];

export const ON_CPU: readonly Peer[] = [...NATIVE, ...WEB, ...JAVASCRIPT];
export const PEERS: readonly Peer[] = [...ON_CPU, ...NATIVE_WEBGPU];
