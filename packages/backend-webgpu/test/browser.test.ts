import { join } from 'node:path';

import { cases } from '@jit-attention/testkit';
import {
  bundle,
  examine,
  findChromium,
  NO_CHROMIUM,
  openChromium,
} from '@jit-attention/testkit/exams/browser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Asked } from './browser/page.js';

/** Aspects of testkit's suite, and tests that each has at least. */
const ASPECTS: Readonly<Record<Asked['aspect'], number>> = {
  ...{ testStorage: 10, testArrange: 4, testRows: 5, testPool: 5, testMerge: 3 },
  ...{ testAttend: 8, testEquivalences: 3, testExtremes: 5, testSelect: 5, testTensors: 4 },
};
/** A page compiles everything anew, for an adapter of software. */
const MINUTES = 10 * 60_000;

const path = findChromium();
const heading = path ? 'in headless Chromium' : `in headless Chromium (${NO_CHROMIUM})`;

describe.skipIf(!path)(heading, () => {
  let browser: Awaited<ReturnType<typeof openChromium>>;
  let script: string;

  beforeAll(async () => {
    script = await bundle(join(import.meta.dirname, 'browser/page.ts'));
    browser = await openChromium(path!, { webgpu: true });
  });
  afterAll(async () => browser?.close());

  it.each(Object.entries(ASPECTS))(
    'conforms: %s',
    async (aspect, least) => {
      const asked = { aspect, cases: Math.min(50, cases()) };
      const report = await examine(browser, { script, isolated: false }, asked);
      expect(report.failed).toEqual([]);
      expect(report.passed).toBeGreaterThanOrEqual(least);
    },
    MINUTES,
  );
});
