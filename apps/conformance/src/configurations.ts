import { cpu, type CpuOptions } from '@jit-attention/backend-cpu';
import { type BackendSuite, cases, tolerances } from '@jit-attention/testkit';

/** A backend as the workspace tests it. */
export type Configuration = BackendSuite & Required<Pick<BackendSuite, 'cases'>>;

/**
 * Random cases of what is much like something that is tried on all of them: a quarter, at most 50.
 * That is what CI's 500 leave them.
 */
export const fewCases = (): number => Math.min(50, Math.ceil(cases() / 4));

export function configuration(options: CpuOptions, cases: number = fewCases()): Configuration {
  return {
    name: `on ${options.simd}, ${options.threads} threads`,
    factory: () => cpu(options),
    tolerance: tolerances.cpu,
    cases,
  };
}

/** Both builds of the CPU backend's kernels, on one and two threads. */
export const CONFIGURATIONS: readonly Configuration[] = [
  configuration({ simd: 'relaxed', threads: 1 }, cases()),
  configuration({ simd: 'relaxed', threads: 2 }),
  configuration({ simd: 'simd128', threads: 1 }),
  configuration({ simd: 'simd128', threads: 2 }),
];
