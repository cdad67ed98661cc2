import { createRequire } from 'node:module';
import { dirname } from 'node:path';

import { SHARING } from '../../candidates/built-in.js';
import { openPage, type OpenPage } from '../../chromium.js';
import type { Facts } from '../../race/contender.js';
import { BUDGET } from '../speed/bay.js';
import type { Sizes, Subject } from '../subject.js';
import {
  type Adapter,
  type Answer,
  type Host,
  MODEL,
  MODELS,
  ONNXRUNTIME_FILES,
  type Question,
  type Written,
} from './messages.js';

type Page = OpenPage<Question, Answer>;

/** transformers.js in a page, with the model uncut and adopted; opened when it is needed. */
export class Generators {
  readonly #subject: Subject;
  readonly #sizes: Sizes;
  readonly #threads: number;
  #page: Promise<Page> | undefined;
  #adapter: Adapter | undefined;

  constructor(subject: Subject, sizes: Sizes, threads: number) {
    this.#subject = subject;
    this.#sizes = sizes;
    this.#threads = threads;
  }

  /** The GPU that has been used, if any. */
  get adapter(): Adapter | undefined {
    return this.#adapter;
  }

  /** What is said of the rows of a token after so many. */
  factsOf(host: Host, tokens: number): Facts {
    return {
      implementation: host === 'uncut' ? 'transformers.js' : 'jit-attention',
      strategy: host === 'topk' ? 'topk' : 'dense',
      ...{ backend: 'webgpu', threads: this.#threads, tokens, queries: 1 },
      ...this.#sizes,
      budget: host === 'topk' ? BUDGET : null,
    };
  }

  /**
   * Gets ready to go on writing after the first `tokens` tokens of the text.
   *
   * @throws {Error} where there is no Chromium, no transformers.js, or no GPU for it
   */
  async open(host: Host, tokens: number): Promise<(count: number) => Promise<Written>> {
    const { text, adapter } = await this.#ask({
      ...{ ask: 'open', host, prompt: this.#subject.text.slice(0, tokens) },
      ...{ threads: this.#threads, budget: BUDGET, queryBlock: SHARING },
    });
    this.#adapter = adapter;
    return async (count) => (await this.#ask({ ask: 'write', text: text!, count })).written!;
  }

  async close(): Promise<void> {
    const page = await this.#page?.catch(() => undefined); // that it could not be opened is known
    await page?.close();
  }

  async #ask(question: Question): Promise<Answer> {
    const page = await (this.#page ??= this.#open());
    const answer = await page.ask(question);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  async #open(): Promise<Page> {
    const transformers = createRequire(import.meta.url).resolve('@huggingface/transformers');
    // Of the version that transformers.js brings.
    const onnxruntime = dirname(createRequire(transformers).resolve('onnxruntime-web'));
    const folders = {
      [`${MODELS}${MODEL}/`]: this.#subject.directory,
      [ONNXRUNTIME_FILES]: onnxruntime,
    };
    return openPage({ script: 'model-bench/gpu/page.ts', folders });
  }
}
