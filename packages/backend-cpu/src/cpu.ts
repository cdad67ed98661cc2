import {
  assertKnown,
  assertOneOf,
  assertWhole,
  type Backend,
  reference,
} from '@jit-attention/core';

import { CpuBackend } from './backend.js';
import { compile, link } from './kernels.js';
import { createMemory, WasmMemory } from './memory.js';
import { builtin } from './node.js';
import { CONTROL_WORDS } from './threads/job.js';
import { ThreadPool } from './threads/pool.js';
import { chooseVariant, type Variant } from './variant.js';
import { WasmHost } from './wasm-host.js';

export interface CpuOptions {
  /** Threads that compute, the calling one included. Default: one a core that the host lets us use. */
  readonly threads?: number | undefined;
  /**
   * Which build of the kernels: `'relaxed'` fuses multiplications and additions, `'simd128'` runs wherever WASM has
   * SIMD, `'none'` is core's reference backend. Default: the best that the host runs.
   */
  readonly simd?: Variant | 'none' | undefined;
}

const MOST_THREADS = 256;

/**
 * The CPU backend: WASM SIMD kernels on all cores, in Node and in browsers.
 *
 * Primitives compute at the call. Threads need `SharedArrayBuffer`, in browsers cross-origin isolation (the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`); without it one thread
 * computes, and a warning says so once. A host without WASM SIMD gets core's f64 `reference()`, and is warned too.
 * The same input gives the same bits for one variant and number of threads.
 *
 * @throws {InputError} `INVALID_OPTION`; `UNSUPPORTED` for a `simd` that the host does not run
 * @throws {BackendError} `BACKEND_FAILED` when memory or worker threads cannot be had
 */
export async function cpu(options: CpuOptions = {}): Promise<Backend> {
  assertKnown('cpu', options, ['threads', 'simd']);
  const { threads = cores(), simd } = options;
  assertWhole('cpu', 'threads', threads, { min: 1, max: MOST_THREADS });
  if (simd !== undefined) assertOneOf('cpu', 'simd', simd, ['relaxed', 'simd128', 'none']);
  if (simd === 'none') return reference();
  const variant = chooseVariant(simd);
  if (variant) return create(variant, allowedThreads(threads));
  warnOnce('this host has no WASM SIMD: computing with the f64 reference backend, which is slow');
  return reference();
}

async function create(variant: Variant, threads: number): Promise<Backend> {
  const shared = threads > 1;
  const module = await compile(variant, shared);
  const memory = createMemory(shared);
  const kernels = await link(module, memory);
  const blocks = new WasmMemory(memory, kernels.heapBase);
  const control = blocks.allocate(4 * CONTROL_WORDS);
  const pool = shared
    ? await ThreadPool.start(threads - 1, { module, memory, control })
    : undefined;
  return new CpuBackend((backend) => new WasmHost(backend, blocks, kernels, pool));
}

function allowedThreads(threads: number): number {
  if (threads === 1 || sharesMemory()) return threads;
  warnOnce(
    'no SharedArrayBuffer here (a page needs cross-origin isolation): computing on one thread',
  );
  return 1;
}

/** Browsers let memory be shared with workers only where a page is isolated; Node always does. */
function sharesMemory(): boolean {
  const { crossOriginIsolated = true } = globalThis as { crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer === 'function' && crossOriginIsolated;
}

function cores(): number {
  const os = builtin<{ availableParallelism(): number }>('node:os');
  const count = os ? os.availableParallelism() : navigator.hardwareConcurrency;
  return Math.min(MOST_THREADS, Math.max(1, count || 1));
}

const said = new Set<string>();

function warnOnce(what: string): void {
  if (said.has(what)) return;
  said.add(what);
  console.warn(`@jit-attention/backend-cpu: ${what}`);
}
