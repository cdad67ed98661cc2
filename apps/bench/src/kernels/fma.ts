import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

import type { Contender, Runner } from '../race/contender.js';
import { FLOPS_OF_ITERATION, FMA_MODULE } from './fma-module.js';

/** Some 30 ms. */
const ITERATIONS = 2_500_000;

/** The strategy of the rows of bare multiply-adds: none. */
export const FMA = 'none';

/** The bare loop of fused multiply-adds on one or two threads: the peak that kernels are measured by. */
export function fma(threads: 1 | 2 = 1): Contender {
  return {
    facts: {
      implementation: 'wasm/f32x4.relaxed_madd',
      strategy: FMA,
      ...{ backend: 'cpu', threads, tokens: 1, queries: 1, heads: 1, kvHeads: 1, headDim: 4 },
      budget: null,
    },
    flops: threads * ITERATIONS * FLOPS_OF_ITERATION,
    start: () => (threads === 1 ? startHere() : startTwo()),
  };
}

type Loop = (iterations: number) => number;

/** Node 20 has relaxed SIMD behind a flag. */
async function compile(): Promise<WebAssembly.Module> {
  if (!WebAssembly.validate(FMA_MODULE)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.compile(FMA_MODULE);
}

async function loopOf(module: WebAssembly.Module): Promise<Loop> {
  const { exports } = await WebAssembly.instantiate(module);
  return exports.run as Loop;
}

async function startHere(): Promise<Runner> {
  const loop = await loopOf(await compile());
  return {
    run() {
      const before = performance.now();
      loop(ITERATIONS);
      return Promise.resolve({ ms: performance.now() - before });
    },
    dispose: () => undefined,
  };
}

const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(workerData);
parentPort.on('message', (iterations) => parentPort.postMessage(exports.run(iterations)));
`;

/** This thread and another, until both are done. */
async function startTwo(): Promise<Runner> {
  const module = await compile();
  const loop = await loopOf(module);
  const worker = new Worker(WORKER, { eval: true, workerData: module });
  await once(worker, 'online');
  return {
    async run() {
      const before = performance.now();
      worker.postMessage(ITERATIONS);
      loop(ITERATIONS);
      await once(worker, 'message');
      return { ms: performance.now() - before };
    },
    dispose: async () => void (await worker.terminate()),
  };
}
