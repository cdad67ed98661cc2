import { cpu, type CpuOptions } from '@jit-attention/backend-cpu';
import { webgpu, type WebGpuBackend } from '@jit-attention/backend-webgpu';
import { type BackendSuite, cases, tolerances } from '@jit-attention/testkit';

/** A backend as the workspace tests it. */
export type Configuration = BackendSuite & Required<Pick<BackendSuite, 'cases'>>;

/** What the CPU backend is made with, or the WebGPU backend as it is. */
export type Made = CpuOptions | 'webgpu';

/**
 * Random cases of what is much like something that is tried on all of them: a quarter, at most 50.
 * That is what CI's 500 leave them.
 */
export const fewCases = (): number => Math.min(50, Math.ceil(cases() / 4));

export function configuration(made: Made, cases: number = fewCases()): Configuration {
  if (made === 'webgpu')
    return { name: 'on WebGPU', factory: onOneDevice, tolerance: tolerances.webgpu, cases };
  return {
    name: `on ${made.simd}, ${made.threads} threads`,
    factory: () => cpu(made),
    tolerance: tolerances.cpu,
    cases,
  };
}

let first: Promise<WebGpuBackend> | undefined;

/** Backends on one device: what it compiles it compiles once. */
async function onOneDevice(): Promise<WebGpuBackend> {
  first ??= webgpu();
  return webgpu({ device: (await first).device });
}

/** Both builds of the CPU backend's kernels, on one and two threads. */
export const ON_CPU: readonly Configuration[] = [
  configuration({ simd: 'relaxed', threads: 1 }, cases()),
  configuration({ simd: 'relaxed', threads: 2 }),
  configuration({ simd: 'simd128', threads: 1 }),
  configuration({ simd: 'simd128', threads: 2 }),
];
