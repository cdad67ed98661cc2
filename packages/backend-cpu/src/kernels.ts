import { relaxed, simd128 } from './generated/wasm.js';
import type { Variant } from './variant.js';

/** An exported function; of kernels, `kernel(desc, scratch)`. */
export type Kernel = (...values: readonly number[]) => number;

/** The kernels of one backend, linked to its memory. */
export interface Kernels {
  readonly module: WebAssembly.Module;
  readonly functions: ReadonlyMap<string, Kernel>;
  /** The same, in the order of the module, by which workers know them. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Where free memory begins. */
  readonly heapBase: number;
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** Compiled once for all backends. `shared`: for a shared memory. */
export function compile(variant: Variant, shared: boolean): Promise<WebAssembly.Module> {
  const key = `${variant}, ${shared}`;
  let module = compiled.get(key);
  if (!module) {
    const bytes = decode(variant === 'relaxed' ? relaxed : simd128);
    module = WebAssembly.compile(shared ? bytes : unshared(bytes));
    compiled.set(key, module);
  }
  return module;
}

export async function link(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<Kernels> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const names = WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => name);
  return {
    module,
    functions: new Map(names.map((name) => [name, exports[name] as Kernel])),
    numbers: new Map(names.map((name, number) => [name, number])),
    heapBase: (exports.heapBase as Kernel)() >>> 0,
  };
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/**
 * The same module for a memory that is not shared. The kernels are compiled once, for shared memory, and nothing
 * differs but a flag of the memory's import: `env`, `memory`, kind 2 (memory), limits 3 (a maximum, shared).
 */
function unshared(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const entry = [...'\x03env\x06memory\x02\x03'].map((letter) => letter.charCodeAt(0));
  const at = bytes.findIndex((_, i) => entry.every((byte, j) => bytes[i + j] === byte));
  bytes[at + entry.length - 1] = 1;
  return bytes;
}
