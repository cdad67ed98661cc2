/**
 * The part of ONNX Runtime that is used: `onnxruntime-node`, `onnxruntime-web` (and its `/webgpu`, `/wasm`), or the
 * copy that another library has loaded. Said structurally, so that neither package is needed for the types.
 */
export interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: object): Promise<RuntimeSession>;
  };
  readonly Tensor: RuntimeTensorConstructor;
  readonly env?: { readonly versions?: object } | undefined;
}

/** Given to every session; see ONNX Runtime's `InferenceSession.SessionOptions`. */
export interface RuntimeSessionOptions {
  readonly executionProviders?: readonly (string | { readonly name: string })[];
  readonly intraOpNumThreads?: number;
  readonly graphOptimizationLevel?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
  readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly [option: string]: unknown;
}

export interface RuntimeSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly RuntimeValue[];
  readonly outputMetadata: readonly RuntimeValue[];
  run(feeds: RuntimeFeeds, fetches: readonly string[]): Promise<RuntimeFeeds>;
  release(): Promise<void>;
}

/** A value as a session declares it; symbolic sizes by name. */
export interface RuntimeValue {
  readonly name: string;
  readonly isTensor: boolean;
  /** `float32`, `float16`, `int64`, … */
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

export type RuntimeFeeds = Readonly<Record<string, RuntimeTensor>>;

export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** `'cpu'`, `'gpu-buffer'`, … */
  readonly location?: string;
  /** Throws where the data are not on the CPU. */
  readonly data: unknown;
  /** Throws where the data are not on a GPU. */
  readonly gpuBuffer?: unknown;
  dispose(): void;
}

export interface RuntimeTensorConstructor {
  new (type: never, data: never, dims: readonly number[]): RuntimeTensor;
  /** Where there is WebGPU. */
  fromGpuBuffer?(buffer: never, options: never): RuntimeTensor;
}
