import { type Backend, inputError } from '@jit-attention/core';

/** A place to compute. */
export interface BackendEntry {
  /** The package that has it, loaded when it is asked for. */
  readonly package: string;
  /** The factory's name there. */
  readonly factory: string;
  /** The most threads it can use. */
  readonly threads: number;
  /** Largest relative (Frobenius) difference of two ways to compute the same in it. */
  readonly tolerance: number;
  /** Said wherever its times are shown. */
  readonly note?: string | undefined;
}

/** A new backend package gets its line here. */
export const BACKENDS: Readonly<Record<string, BackendEntry>> = {
  reference: {
    package: '@jit-attention/core',
    factory: 'reference',
    threads: 1,
    // Sums are in f64; only the outputs are rounded to f32.
    tolerance: 1e-6,
    note: 'The f64 reference backend is exact and slow: its times may be compared with each other, not with other software.',
  },
  cpu: {
    package: '@jit-attention/backend-cpu',
    factory: 'cpu',
    threads: Infinity,
    tolerance: 1e-5,
  },
  webgpu: {
    package: '@jit-attention/backend-webgpu',
    factory: 'webgpu',
    threads: 1,
    tolerance: 1e-4,
  },
};

/** A backend at a number of threads, ready to compute. */
export interface Device {
  readonly name: string;
  readonly threads: number;
  readonly backend: Backend;
  readonly entry: BackendEntry;
}

type BackendFactory = (options: { threads: number }) => Backend | Promise<Backend>;

/** @throws {InputError} `INVALID_OPTION` for an unknown name or too many threads, `UNSUPPORTED` when not installed */
export async function openDevices(
  names: readonly string[],
  threads: readonly number[],
): Promise<Device[]> {
  const wanted = names.flatMap((name) => threads.map((count) => ({ name, threads: count })));
  for (const { name, threads } of wanted) assertBackend(name, threads);
  return Promise.all(wanted.map(({ name, threads }) => openDevice(name, threads)));
}

function assertBackend(name: string, threads: number): void {
  const entry = Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
  if (!entry) throw inputError('--backend', Object.keys(BACKENDS).join(', '), name);
  if (threads > entry.threads) {
    throw inputError('--threads', `at most ${entry.threads} for backend ${name}`, threads);
  }
}

async function openDevice(name: string, threads: number): Promise<Device> {
  const entry = BACKENDS[name];
  let module: Record<string, BackendFactory>;
  try {
    module = (await import(entry.package)) as Record<string, BackendFactory>;
  } catch {
    throw inputError(
      '--backend',
      `an installed backend`,
      `${name}, whose package ${entry.package} is not`,
      {
        code: 'UNSUPPORTED',
        hint: `install ${entry.package}, or leave --backend out for the reference backend`,
      },
    );
  }
  return { name, threads, entry, backend: await module[entry.factory]({ threads }) };
}
