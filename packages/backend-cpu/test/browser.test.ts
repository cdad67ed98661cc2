import { join } from 'node:path';

import {
  bundle,
  examine,
  findChromium,
  NO_CHROMIUM,
  openChromium,
} from '@jit-attention/testkit/exams/browser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { CpuOptions } from '../src/index.js';

interface Case {
  readonly options: CpuOptions;
  readonly isolated: boolean;
}

const CASES: readonly Case[] = [
  { options: { simd: 'relaxed', threads: 2 }, isolated: true },
  { options: { simd: 'simd128', threads: 1 }, isolated: true },
  // Without isolation, one thread is what there is, and the page is told.
  { options: { simd: 'relaxed', threads: 2 }, isolated: false },
];

const path = findChromium();
const heading = path ? 'in headless Chromium' : `in headless Chromium (${NO_CHROMIUM})`;

describe.skipIf(!path)(heading, () => {
  let browser: Awaited<ReturnType<typeof openChromium>>;
  let script: string;

  beforeAll(async () => {
    script = await bundle(join(import.meta.dirname, 'browser/page.ts'));
    browser = await openChromium(path!);
  });
  afterAll(async () => browser?.close());

  it.each(CASES)(
    'conforms: $options.simd, $options.threads threads, isolated: $isolated',
    async ({ options, isolated }) => {
      const report = await examine(browser, { script, isolated }, options);
      expect(report.failed).toEqual([]);
      expect(report.isolated).toBe(isolated);
      expect(report.passed).toBeGreaterThan(50);
      expect(report.said).toEqual(
        isolated ? [] : [expect.stringContaining('cross-origin isolation')],
      );
    },
  );
});
