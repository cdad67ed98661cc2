import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { modelDirectory } from '@jit-attention/reference-model';
import {
  bundle,
  examine,
  findChromium,
  NO_CHROMIUM,
  openChromium,
} from '@jit-attention/testkit/exams/browser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Asked } from './browser/page.js';
import { loadGenerator, PROMPT } from './support/reference.js';

const TOKENS = 10;

/** ONNX Runtime's WASM files, of the version that transformers.js brings. */
const transformers = createRequire(import.meta.url).resolve('@huggingface/transformers');
const onnxruntime = dirname(createRequire(transformers).resolve('onnxruntime-web'));

const folders = { '/models/reference/': modelDirectory, '/onnxruntime/': onnxruntime };

const path = findChromium();
const heading = path ? 'in headless Chromium' : `in headless Chromium (${NO_CHROMIUM})`;

describe.skipIf(!path)(heading, () => {
  let browser: Awaited<ReturnType<typeof openChromium>>;
  let script: string;
  let expected: string;

  beforeAll(async () => {
    script = await bundle(join(import.meta.dirname, 'browser/page.ts'));
    browser = await openChromium(path!, { webgpu: true });
    const generator = await loadGenerator();
    const [{ generated_text }] = await generator(PROMPT, { max_new_tokens: TOKENS });
    expected = generated_text;
    await generator.dispose();
  });
  afterAll(async () => browser?.close());

  const ask = (options: Partial<Asked>) => {
    const asked: Asked = {
      ...{ device: 'wasm', proxy: false, prompt: PROMPT, expected, tokens: TOKENS },
      ...options,
    };
    return examine(browser, { script, isolated: true, folders }, asked);
  };

  it('is adopted on ONNX Runtime for the web', async () => {
    const report = await ask({});
    expect(report.failed).toEqual([]);
    expect(report.passed).toBe(3);
  });

  it("is adopted on ONNX Runtime's GPU device, the cache with it", async () => {
    const report = await ask({ device: 'webgpu' });
    expect(report.failed).toEqual([]);
    expect(report.passed).toBe(1);
  }, 180_000); // SwiftShader

  it('is refused where ONNX Runtime is in a worker', async () => {
    const report = await ask({ proxy: true });
    expect(report.failed).toEqual([]);
    expect(report.passed).toBe(1);
  });
});
