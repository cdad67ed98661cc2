import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { answerOf, type Channel } from './channel.js';
import { ONNXRUNTIME_FILES } from './in-chromium.js';
import type { Answer, Question } from './messages.js';

/** A page of the machine's Chromium, on the same adapter of software as Node. */
export async function openPage(): Promise<Channel> {
  const { bundle, findChromium, NO_CHROMIUM, openChromium, serve } =
    await import('@jit-attention/testkit/exams/browser');
  const path = findChromium();
  if (path === undefined) throw new Error(`needs Chromium: ${NO_CHROMIUM}`);
  const isSource = import.meta.url.endsWith('.ts');
  const entry = new URL(isSource ? './page.ts' : '../src/peers/page.ts', import.meta.url);
  const script = await bundle(fileURLToPath(entry));
  const files = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  const server = await serve({
    ...{ script, isolated: true, folders: { [ONNXRUNTIME_FILES]: files } },
  });
  const browser = await openChromium(path, { webgpu: true }).catch((error: unknown) => {
    server.close(); // it would keep the process alive
    throw error;
  });
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
  };
  const page = await browser.newPage();
  await page.goto(server.url).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    async ask(question) {
      const ask = (question: Question) =>
        (globalThis as unknown as { answer(question: Question): Promise<Answer> }).answer(question);
      return answerOf(await page.evaluate(ask, question));
    },
    close,
  };
}
