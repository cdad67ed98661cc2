import type { Runner } from '../../src/runner.js';

/** What came of the tests that a page has run. */
export interface Report {
  /** Whether the page may share memory with workers. */
  readonly isolated: boolean;
  readonly passed: number;
  readonly skipped: number;
  /** Names, and what was wrong. */
  readonly failed: readonly string[];
}

export type Answer = (options: unknown) => Promise<Report>;

/**
 * For the script of a page: offers tests to whoever has opened it (`examine` of `exams/browser`). `register` is
 * called with a runner and with the options that were asked for.
 */
export function offer<T>(register: (runner: Runner, options: T) => void): void {
  const answer: Answer = (options) => run((runner) => register(runner, options as T));
  Object.assign(globalThis, { answer });
}

async function run(register: (runner: Runner) => void): Promise<Report> {
  const tests = new Map<string, () => Promise<void>>();
  const [failed, skipped]: string[][] = [[], []];
  let heading = '';
  const it = (name: string, body: () => Promise<void>) => tests.set(`${heading}: ${name}`, body);
  register({
    describe(name, body) {
      heading = name;
      body();
    },
    it: Object.assign(it, { skip: (name: string) => skipped.push(name) }),
  });
  for (const [name, body] of tests)
    await body().catch((error: unknown) => failed.push(`${name}: ${String(error)}`));
  return {
    isolated: crossOriginIsolated,
    passed: tests.size - failed.length,
    skipped: skipped.length,
    failed,
  };
}
