import { join } from 'node:path';

import {
  bundle,
  examine,
  findChromium,
  NO_CHROMIUM,
  openChromium,
} from '@jit-attention/testkit/exams/browser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fewCases, type Made } from '../src/configurations.js';
import type { Asked } from '../src/page.js';
import { STRATEGIES } from '../src/strategies.js';

interface Case {
  readonly made: Made;
  readonly isolated: boolean;
}

const CASES: readonly Case[] = [
  { made: { simd: 'relaxed', threads: 2 }, isolated: true },
  { made: { simd: 'simd128', threads: 1 }, isolated: true },
  // Without isolation, one thread is what there is.
  { made: { simd: 'relaxed', threads: 2 }, isolated: false },
  { made: 'webgpu', isolated: false },
];

/** A page compiles everything anew, which takes an adapter of software its time. */
const MINUTES = 10 * 60_000;

const chromium = findChromium();
const heading = chromium ? 'in headless Chromium' : `in headless Chromium (${NO_CHROMIUM})`;

describe.skipIf(!chromium)(heading, () => {
  let browser: Awaited<ReturnType<typeof openChromium>>;
  let script: string;

  beforeAll(async () => {
    script = await bundle(join(import.meta.dirname, '../src/page.ts'));
    browser = await openChromium(chromium!, { webgpu: true });
  });
  afterAll(async () => browser?.close());

  it.each(CASES)(
    'strategies on $made, isolated: $isolated',
    async ({ made, isolated }) => {
      const asked: Asked = { made, cases: fewCases() };
      const report = await examine(browser, { script, isolated }, asked);
      expect(report.failed).toEqual([]);
      expect(report.isolated).toBe(isolated);
      expect(report.passed).toBeGreaterThan(20 * Object.values(STRATEGIES).flat().length);
    },
    MINUTES,
  );
});
