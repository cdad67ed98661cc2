import { source } from '../generated/worker.js';
import { builtin } from '../node.js';
import type { Job, Started } from './job.js';

/** A running worker, in Node or in a browser. */
export interface Thread {
  /** Lets the process end while the worker runs. */
  unref(): void;
  terminate(): void | Promise<unknown>;
}

/** What becomes of a thread; `ended` when it dies on its own as well. */
export interface ThreadEvents {
  started(message: Started): void;
  ended(reason: string): void;
}

interface NodeWorker {
  on(event: 'message', listener: (message: Started) => void): void;
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface WorkerThreads {
  Worker: new (source: string, options: object) => NodeWorker;
}

/** Starts a worker from the program's text: there is no file for a bundler to lose. */
export function spawn(job: Job, events: ThreadEvents): Thread {
  const node = builtin<WorkerThreads>('node:worker_threads');
  return node ? spawnNode(node, job, events) : spawnWeb(job, events);
}

function spawnNode({ Worker }: WorkerThreads, job: Job, events: ThreadEvents): Thread {
  // No loaders and flags of the parent: the program needs none, and they cost a worker its quick start.
  const worker = new Worker(source, { eval: true, workerData: job, execArgv: [] });
  worker.on('message', (message) => events.started(message));
  worker.on('error', (error) => events.ended(String(error)));
  worker.on('exit', (code) => events.ended(`exit code ${code}`));
  return worker;
}

function spawnWeb(job: Job, events: ThreadEvents): Thread {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }: MessageEvent<Started>) => {
    URL.revokeObjectURL(url);
    events.started(data);
  };
  worker.onerror = ({ message }) => events.ended(message);
  worker.postMessage(job);
  return { unref() {}, terminate: () => worker.terminate() };
}
