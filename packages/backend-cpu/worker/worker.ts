/**
 * The program of a worker thread, in Node and in browsers: sleep until there is work, help until it is done. It
 * reaches the page or process as text (see scripts/generate.ts), so it imports nothing but types.
 */
import type { Job, Started } from '../src/threads/job.js';

type Kernel = (desc: number, scratch: number) => void;

/** Looks at a word before sleeping on it: about 50 microseconds, what is between two primitives of a step. */
const SPINS = 20_000;

function work({ id, module, memory, control, at, open }: Job): void {
  const words = new Int32Array(memory.buffer, control, 16);
  const kernels = kernelsOf(module, memory);
  for (let seen = 0; ;) {
    seen = nextGeneration(words, at.generation, seen);
    if (Atomics.load(words, at.stop) !== 0) return;
    if (!join(words, at.gate, open)) continue;
    const scratch = words[at.scratch] + id * words[at.scratchBytes];
    try {
      kernels[words[at.kernel]](words[at.desc], scratch);
    } catch {
      Atomics.add(words, at.trapped, 1);
    }
    Atomics.sub(words, at.gate, 1);
  }
}

/** The exported functions, in the order of the module. */
function kernelsOf(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel[] {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => exports[name] as Kernel);
}

function nextGeneration(words: Int32Array, at: number, seen: number): number {
  for (let spin = 0; spin < SPINS; spin++) {
    const generation = Atomics.load(words, at);
    if (generation !== seen) return generation;
  }
  while (Atomics.load(words, at) === seen) Atomics.wait(words, at, seen);
  return Atomics.load(words, at);
}

/** Counts itself in, unless the work is over: what the control block says holds while anyone is in. */
function join(words: Int32Array, gate: number, open: number): boolean {
  for (;;) {
    const before = Atomics.load(words, gate);
    if (before < open) return false;
    if (Atomics.compareExchange(words, gate, before, before + 1) === before) return true;
  }
}

/** Says that it is ready once the module is compiled and linked, which is the part that can fail. */
function start(job: Job, say: (message: Started) => void): void {
  try {
    kernelsOf(job.module, job.memory);
  } catch (error) {
    return say({ ready: false, reason: String(error) });
  }
  say({ ready: true });
  work(job);
}

interface NodeProcess {
  getBuiltinModule?(name: string): {
    workerData: Job;
    parentPort: { postMessage(message: Started): void };
  };
}

const { process } = globalThis as { process?: NodeProcess };
if (process?.getBuiltinModule) {
  const { workerData, parentPort } = process.getBuiltinModule('node:worker_threads');
  start(workerData, (message) => parentPort.postMessage(message));
} else {
  onmessage = ({ data }: MessageEvent<Job>) => start(data, (message) => postMessage(message));
}
