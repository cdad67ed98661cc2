import type { Browser } from 'playwright-core';

import type { Answer, Report } from '../page/index.js';
import { serve, type Site } from './serve.js';

/** What a page reports, and what it has said on its console. */
export interface Examined extends Report {
  readonly said: readonly string[];
}

/** Opens a page with a script that offers tests (see `exams/page`), and has them run. */
export async function examine(browser: Browser, site: Site, options: unknown): Promise<Examined> {
  const server = await serve(site);
  const page = await browser.newPage();
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  try {
    await page.goto(server.url);
    const ask = (options: unknown) => (globalThis as unknown as { answer: Answer }).answer(options);
    return { ...(await page.evaluate(ask, options)), said };
  } finally {
    await page.close();
    server.close();
  }
}
