import type { AttentionResult, Backend, Input, Tensor } from '@jit-attention/core';

import type { Place } from '../cut/places.js';
import type { Runtime, RuntimeSessionOptions, RuntimeTensor } from '../runtime.js';
import { Rows } from './rows.js';
import { makeTensor } from './tensors.js';

/** What a place is given, as core takes it. */
export interface Crossed {
  readonly query: Input;
  readonly key: Input;
  readonly value: Input;
  /** Frees what was made for it; the tensors themselves stay ONNX Runtime's. */
  readonly dispose: () => void;
}

/** How numbers get from ONNX Runtime to a backend, and back. */
export interface Bridge {
  /** `queries`: only the last so many tokens are asked for. */
  cross(place: Place, values: readonly RuntimeTensor[], queries: number): Crossed;
  /** The output, for the next piece; takes over the result. */
  back(result: AttentionResult, dims: readonly number[]): Promise<RuntimeTensor>;
}

/** A backend on a GPU whose buffers can be shared: that of `@jit-attention/backend-webgpu`. */
interface SharingBackend extends Backend {
  fromBuffer(buffer: unknown, options: { shape: readonly number[] }): Tensor;
  submitted(): Promise<void>;
}

const isSharing = (backend: Backend): backend is SharingBackend => 'fromBuffer' in backend;

/** Both compute on a GPU, so that nothing has to come down from it. */
export function sharesGpu(
  { Tensor }: Runtime,
  backend: Backend,
  { executionProviders = [] }: RuntimeSessionOptions,
): boolean {
  const names = executionProviders.map((one) => (typeof one === 'string' ? one : one.name));
  return names.includes('webgpu') && isSharing(backend) && Tensor.fromGpuBuffer !== undefined;
}

export function makeBridge(
  runtime: Runtime,
  backend: Backend,
  session: RuntimeSessionOptions,
): Bridge {
  return sharesGpu(runtime, backend, session)
    ? new GpuBridge(runtime, backend as SharingBackend)
    : new HostBridge(runtime);
}

/** Over the host's memory: a copy in, a copy out. */
class HostBridge implements Bridge {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  cross(place: Place, [query, key, value]: readonly RuntimeTensor[], queries: number): Crossed {
    return {
      query: new Rows(place, query.dims).last(query.data as Float32Array, queries),
      key: key.data as Float32Array,
      value: value.data as Float32Array,
      dispose: () => undefined,
    };
  }

  async back(result: AttentionResult, dims: readonly number[]): Promise<RuntimeTensor> {
    try {
      return makeTensor(this.#runtime, 'float32', await result.output.data(), dims);
    } finally {
      result.dispose();
    }
  }
}

/** Buffers are handed over as they are: neither side copies, and nobody waits. */
class GpuBridge implements Bridge {
  readonly #runtime: Runtime;
  readonly #backend: SharingBackend;

  constructor(runtime: Runtime, backend: SharingBackend) {
    this.#runtime = runtime;
    this.#backend = backend;
  }

  cross(place: Place, values: readonly RuntimeTensor[], queries: number): Crossed {
    const { heads, kvHeads, headDim, valueDim } = place.site;
    const made: Tensor[] = [];
    const keep = (tensor: Tensor): Tensor => {
      made.push(tensor);
      return tensor;
    };
    const rows = new Rows(place, values[0].dims);
    const widths = [heads, kvHeads, kvHeads];
    const [query, key, value] = values.map(({ gpuBuffer }, i) => {
      const shape = rows.shape(widths[i], i === 2 ? valueDim : headDim);
      return keep(this.#backend.fromBuffer(gpuBuffer, { shape }));
    });
    const { tokens: end, axis } = rows;
    const some = { axis, start: end - queries, end };
    return {
      query: queries === end ? query : keep(this.#backend.slice(query, some)),
      key,
      value,
      dispose: () => made.forEach((tensor) => tensor.dispose()),
    };
  }

  async back(result: AttentionResult, dims: readonly number[]): Promise<RuntimeTensor> {
    // ONNX Runtime's next commands have to come behind ours
    await this.#backend.submitted();
    const { buffer } = result.output as Tensor & { readonly buffer?: unknown };
    const options = { dataType: 'float32', dims, dispose: () => result.dispose() };
    return this.#runtime.Tensor.fromGpuBuffer!(buffer as never, options as never);
  }
}
