import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bundle, serve } from './browser/serve.js';
import type { CpuOptions } from '../src/index.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** A browser of the machine; Playwright's own is never downloaded. */
function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const executablePath = findChromium();

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

describe.skipIf(!executablePath)('in headless Chromium', () => {
  let browser: Browser;
  let script: string;

  beforeAll(async () => {
    script = await bundle();
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });
  afterAll(async () => browser?.close());

  it.each(CASES)(
    'conforms: $options.simd, $options.threads threads, isolated: $isolated',
    async (one) => {
      const server = await serve(script, one.isolated);
      const page = await browser.newPage();
      const said: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(String(error)));
      try {
        await page.goto(server.url);
        const report = await page.evaluate((options) => window.conformance(options), one.options);
        expect(report.failed).toEqual([]);
        expect(report.isolated).toBe(one.isolated);
        expect(report.passed).toBeGreaterThan(50);
        expect(said).toEqual(
          one.isolated ? [] : [expect.stringContaining('cross-origin isolation')],
        );
      } finally {
        await page.close();
        server.close();
      }
    },
  );
});
