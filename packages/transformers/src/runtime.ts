import { inputError } from '@jit-attention/core';
import type { Runtime, RuntimeSession, RuntimeTensor } from '@jit-attention/onnx';

/** ONNX Runtime, with the way to make a tensor that has its data elsewhere. */
export interface LoadedRuntime extends Runtime {
  readonly Tensor: Runtime['Tensor'] & {
    fromGpuBuffer(buffer: object, options: GpuBufferOptions): RuntimeTensor;
  };
}

export interface GpuBufferOptions {
  readonly dataType: 'float32';
  readonly dims: readonly number[];
  readonly dispose: () => void;
  readonly download: () => Promise<never>;
}

/** A graph with one node, `y = Identity(x)`, of one i64. Spelled out in `test/runtime.test.ts`. */
export const IDENTITY =
  'CAg6LwoQCgF4EgF5IghJZGVudGl0eRIBaVoLCgF4EgYKBAgHEgBiCwoBeRIGCgQIBxIAQgQKABAN';

/**
 * The copy of ONNX Runtime that has loaded a session. Tensors are recognised by their class, so those that we make have
 * to be of the copy that transformers.js looks at: the class of what its sessions give. A graph of one node is run to
 * get hold of one.
 *
 * @throws {InputError} `UNSUPPORTED` where ONNX Runtime runs in a worker (`env.backends.onnx.wasm.proxy`)
 */
export async function runtimeOf(session: RuntimeSession): Promise<LoadedRuntime> {
  const InferenceSession = session.constructor as unknown as Runtime['InferenceSession'];
  const probe = await InferenceSession.create(bytesOf(IDENTITY), { executionProviders: ['cpu'] });
  try {
    const data = BigInt64Array.of(1n);
    const x = { type: 'int64', dims: [], data, location: 'cpu', dispose: () => undefined };
    const { y } = await probe.run({ x }, ['y']);
    assertNotProxied(data);
    return { InferenceSession, Tensor: y.constructor as LoadedRuntime['Tensor'] };
  } finally {
    await probe.release();
  }
}

/** A worker is sent the arrays that it is fed: they are gone from here. */
function assertNotProxied(fed: BigInt64Array): void {
  if (fed.length > 0) return;
  throw inputError('adoptTransformers', 'ONNX Runtime in this thread', 'one in a worker', {
    code: 'UNSUPPORTED',
    hint: 'set env.backends.onnx.wasm.proxy = false before the model is loaded',
  });
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
