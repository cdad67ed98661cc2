import { type Backend, inputError } from '@jit-attention/core';

import { plural } from './format.js';

/** A place to compute. */
export interface BackendEntry {
  /** The package that has it, loaded when it is asked for. */
  readonly package: string;
  /** The factory's name there. */
  readonly factory: string;
  /** Whether the factory gives a promise. */
  readonly isAsync: boolean;
  /** The most threads it can use; the factory of one that has more than one is told how many. */
  readonly threads: number;
  /** Largest relative (Frobenius) difference of two ways to compute the same in it. */
  readonly tolerance: number;
  /** Which queries of a layer are measured: all, or a seeded sample, where all would take too long. */
  readonly queries: 'all' | 'some';
  /** Said wherever its times are shown. */
  readonly note?: string | undefined;
}

/** Where the benchmark computes unless it is told otherwise. */
export const DEFAULT_BACKEND = 'cpu';

/** A new backend package gets its line here. */
export const BACKENDS: Readonly<Record<string, BackendEntry>> = {
  reference: {
    package: '@jit-attention/core',
    factory: 'reference',
    isAsync: false,
    threads: 1,
    // Sums are in f64; only the outputs are rounded to f32.
    tolerance: 1e-6,
    queries: 'some',
    note: 'The f64 reference backend is exact and slow: its times may be compared with each other, not with other software.',
  },
  cpu: {
    package: '@jit-attention/backend-cpu',
    factory: 'cpu',
    isAsync: true,
    threads: 256,
    tolerance: 1e-5,
    queries: 'all',
  },
  webgpu: {
    package: '@jit-attention/backend-webgpu',
    factory: 'webgpu',
    isAsync: true,
    threads: 1,
    tolerance: 1e-4,
    queries: 'all',
  },
};

/** A backend at a number of threads, ready to compute. */
export interface Device {
  readonly name: string;
  readonly threads: number;
  readonly backend: Backend;
  readonly entry: BackendEntry;
}

type BackendFactory = (options?: { threads: number }) => Backend | Promise<Backend>;

/**
 * What can be said without loading a backend.
 * @throws {InputError} `INVALID_OPTION` for an unknown backend, or one that has none of the numbers of threads
 */
export function assertBackends(names: readonly string[], threads: readonly number[]): void {
  for (const name of names) {
    const entry = Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
    if (!entry) throw inputError('--backend', Object.keys(BACKENDS).join(', '), name);
    const least = Math.min(...threads);
    if (least <= entry.threads) continue;
    throw inputError('--threads', `at most ${entry.threads} for backend ${name}`, least);
  }
}

/**
 * Every backend, which {@link assertBackends} has passed, at every number of threads that it can use.
 * @throws {BackendError} `BACKEND_FAILED` where the host cannot have one: no adapter
 */
export async function openDevices(
  names: readonly string[],
  threads: readonly number[],
): Promise<Device[]> {
  const wanted = names.flatMap((name) =>
    threads
      .filter((count) => count <= BACKENDS[name].threads)
      .map((count) => [name, count] as const),
  );
  return Promise.all(wanted.map(([name, count]) => openDevice(name, count)));
}

/** A sentence for each backend that {@link openDevices} leaves out at some numbers of threads. */
export function skippedDevices(names: readonly string[], threads: readonly number[]): string[] {
  return names.flatMap((name) => {
    const { threads: most } = BACKENDS[name];
    const skipped = threads.filter((count) => count > most);
    if (skipped.length === 0) return [];
    return [
      `backend ${name} has at most ${plural(most, 'thread')}: not run on ${skipped.join(', ')}`,
    ];
  });
}

export async function closeDevices(devices: readonly Device[]): Promise<void> {
  for (const { backend } of devices) await backend.dispose?.();
}

async function openDevice(name: string, threads: number): Promise<Device> {
  return { name, threads, entry: BACKENDS[name], backend: await openBackend(name, threads) };
}

/** @throws {BackendError} `BACKEND_FAILED` where the host cannot have it: no adapter */
export async function openBackend(name: string, threads: number): Promise<Backend> {
  const entry = BACKENDS[name];
  const module = (await import(entry.package)) as Record<string, BackendFactory>;
  const make = module[entry.factory];
  return entry.threads > 1 ? make({ threads }) : make();
}
