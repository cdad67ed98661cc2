import { cpu, type CpuOptions } from '@jit-attention/backend-cpu';
import { webgpu, type WebGpuBackend } from '@jit-attention/backend-webgpu';
import { type BackendSuite, cases, type Limits, tolerances } from '@jit-attention/testkit';

/** A backend as the workspace tests strategies on it. */
export interface Configuration extends BackendSuite {
  /** Of each property of a strategy. */
  readonly cases: number;
  /** Whether the ways in which a strategy is configured share the cases, instead of having as many each. */
  readonly sharesCases?: boolean | undefined;
  readonly limits?: Limits | undefined;
}

/** What the CPU backend is made with, or the WebGPU backend as it is. */
export type Made = CpuOptions | 'webgpu';

/**
 * Random cases of what is much like something that is tried on all of them: a quarter, at most 50.
 * That is what CI's 500 leave them.
 */
export const fewCases = (): number => Math.min(50, Math.ceil(cases() / 4));

/**
 * What is as wide as 576 is tried with the backend's primitives: an adapter of software takes thirty times as long for
 * it, and compiles each width anew.
 */
const ON_SOFTWARE: Limits = {
  widths: [
    [16, 16],
    [16, 32],
    [24, 8],
    [20, 20],
    [64, 64],
    [128, 64],
  ],
};

export function configuration(made: Made, cases: number = fewCases()): Configuration {
  if (made === 'webgpu')
    return {
      ...{ name: 'on WebGPU', factory: onOneDevice, tolerance: tolerances.webgpu },
      ...{ cases, sharesCases: true, limits: ON_SOFTWARE },
    };
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
