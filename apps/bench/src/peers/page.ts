/** The page of one peer, in a browser: what `process.ts` is in Node. */
import { answerer } from './answer.js';
import { IN_CHROMIUM } from './in-chromium.js';

Object.assign(globalThis, { answer: answerer(IN_CHROMIUM) });
