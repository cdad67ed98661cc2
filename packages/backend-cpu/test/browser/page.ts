/** What runs in the browser: testkit's suite, with a runner that collects its tests. */
import { type Runner, testBackend, tolerances } from '@jit-attention/testkit';

import { cpu, type CpuOptions } from '../../src/index.js';

export interface Report {
  readonly isolated: boolean;
  readonly passed: number;
  readonly failed: readonly string[];
}

declare global {
  interface Window {
    conformance(options: CpuOptions): Promise<Report>;
  }
}

window.conformance = async (options) => {
  const tests: [name: string, body: () => Promise<void>][] = [];
  const runner: Runner = {
    describe: (_, body) => body(),
    it: (name, body) => void tests.push([name, body]),
  };
  testBackend(runner, { name: '', factory: () => cpu(options), tolerance: tolerances.cpu });
  const failed: string[] = [];
  for (const [name, body] of tests)
    await body().catch((error: unknown) => failed.push(`${name}: ${String(error)}`));
  return { isolated: crossOriginIsolated, passed: tests.length - failed.length, failed };
};
