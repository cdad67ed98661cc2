import type { RuntimeTensor } from '@jit-attention/onnx';

/** A `DynamicCache` of transformers.js: tensors by name, among them ours. */
export interface KeptCache {
  get_seq_length(): number;
  update(entries: Record<string, unknown>): void;
}

/** A tensor of transformers.js: one of ONNX Runtime, wrapped. */
interface Wrapped {
  readonly ort_tensor: RuntimeTensor;
}

/** ONNX Runtime's tensor of this name; undefined in an empty cache. */
export function tensorIn(cache: KeptCache, name: string): RuntimeTensor | undefined {
  return entryOf(cache, name)?.ort_tensor;
}

/** A new cache of the same class with this tensor. */
export function cacheOf<C extends KeptCache>(like: C, name: string, tensor?: RuntimeTensor): C {
  const Cache = like.constructor as new (entries?: Record<string, unknown>) => C;
  return tensor ? new Cache({ [name]: wrapped(like, name, tensor) }) : new Cache();
}

/** Puts a tensor in place of another, which is disposed of. */
export function replaceIn(cache: KeptCache, name: string, tensor: RuntimeTensor): void {
  cache.update({ [name]: wrapped(cache, name, tensor) });
}

function entryOf(cache: KeptCache, name: string): Wrapped | undefined {
  return (cache as unknown as Record<string, Wrapped | undefined>)[name];
}

/** Of the class that transformers.js has wrapped the other one in: there may be two copies of it. */
function wrapped(cache: KeptCache, name: string, tensor: RuntimeTensor): Wrapped {
  const Tensor = entryOf(cache, name)!.constructor as new (tensor: RuntimeTensor) => Wrapped;
  return new Tensor(tensor);
}
