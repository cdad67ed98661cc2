import { createRequire } from 'node:module';
import { dirname } from 'node:path';

import { openPage } from '../chromium.js';
import { answerOf, type Channel } from './channel.js';
import { ONNXRUNTIME_FILES } from './in-chromium.js';
import type { Answer, Question } from './messages.js';

/** The way to a page of Chromium in which a peer runs. */
export async function openPeerPage(): Promise<Channel> {
  const files = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  const page = await openPage<Question, Answer>({
    ...{ script: 'peers/page.ts', folders: { [ONNXRUNTIME_FILES]: files } },
  });
  return { ask: async (question) => answerOf(await page.ask(question)), close: () => page.close() };
}
