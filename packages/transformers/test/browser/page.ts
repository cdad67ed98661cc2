/** What runs in the browser: a model is loaded there and asked, adopted, and asked again. */
import {
  env,
  pipeline,
  Tensor,
  type TextGenerationPipeline,
  TextStreamer,
} from '@huggingface/transformers';
import { cpu } from '@jit-attention/backend-cpu';
import { webgpu } from '@jit-attention/backend-webgpu';
import type { Backend } from '@jit-attention/core';
import type { ModelFiles } from '@jit-attention/onnx';
import { assertFails } from '@jit-attention/testkit';
import { offer } from '@jit-attention/testkit/exams/page';

import { adoptTransformers, type TransformersHandle } from '../../src/index.js';

/** What the test asks for. */
export interface Asked {
  readonly device: 'wasm' | 'webgpu';
  /** ONNX Runtime in a worker. */
  readonly proxy: boolean;
  readonly prompt: string;
  /** What Node writes. */
  readonly expected: string;
  readonly tokens: number;
}

const MODEL = 'reference';
/** On SwiftShader ONNX Runtime's own WebGPU attention errs from prompts of 32 tokens on. */
const VERIFIED = 16;

env.allowLocalModels = true;
env.allowRemoteModels = false;
env.localModelPath = '/models/';
env.useBrowserCache = false;
env.useWasmCache = false;
env.backends.onnx.wasm!.wasmPaths = '/onnxruntime/';

offer<Asked>((runner, { device, proxy, prompt, expected, tokens }) => {
  if (proxy) {
    runner.describe('ONNX Runtime in a worker', () => {
      runner.it('is refused', async () => {
        env.backends.onnx.wasm!.proxy = true;
        const { model } = await load(device);
        const source = await files();
        await assertFails('UNSUPPORTED', () => adoptTransformers(model, { source }));
      });
    });
    return;
  }

  runner.describe(device, () => {
    runner.it('writes what the original writes, and Node', () =>
      adopted(async (generator, handle) => {
        const after = await write(generator, prompt);
        same(after.text, expected);
        await handle.restore();
        same(await write(generator, prompt), after);
      }),
    );

    // What follows is the same on every device.
    if (device !== 'wasm') return;

    runner.it('carries on two conversations at the same time', () =>
      adopted(async (generator) => {
        const both = await Promise.all([write(generator, prompt), write(generator, 'The whale')]);
        same(both[0].text, expected);
        same(await write(generator, 'The whale'), both[1]);
      }),
    );

    runner.it('goes on after a refusal, and so does every other model of the page', () =>
      adopted(async (generator) => {
        const other = await load(device);
        const inputs = new Tensor('int64', BigInt64Array.of(1_000_000n), [1, 1]);
        await assertFails('INVALID_OPTION', () =>
          generator.model.generate({ inputs, max_new_tokens: 1 }),
        );
        same((await write(generator, prompt)).text, expected);
        same((await write(other, prompt)).text, expected);
        await other.dispose();
      }),
    );
  });

  /** Loading takes longest. */
  let loaded: Promise<TextGenerationPipeline> | undefined;

  async function adopted(
    body: (generator: TextGenerationPipeline, handle: TransformersHandle) => Promise<void>,
  ): Promise<void> {
    const generator = await (loaded ??= load(device));
    const backend = await backendFor(device);
    const handle = await adoptTransformers(generator.model, {
      ...{ source: await files(), backend, verify: { tokens: VERIFIED } },
    });
    await body(generator, handle);
    await handle.restore();
    same(backend.memory(), { tensors: 0, bytes: 0 });
    await backend.dispose?.();
  }

  async function write(generator: TextGenerationPipeline, text: string) {
    const pieces: string[] = [];
    const put = (piece: string) => void pieces.push(piece);
    const streamer = new TextStreamer(generator.tokenizer, { callback_function: put });
    const [answer] = await generator(text, { max_new_tokens: tokens, streamer });
    return { text: answer.generated_text, pieces };
  }
});

const load = (device: Asked['device']): Promise<TextGenerationPipeline> =>
  pipeline('text-generation', MODEL, { dtype: 'fp32', device });

/** On the GPU ONNX Runtime's device, so that nothing has to be copied; it has one once it has loaded a model. */
async function backendFor(device: Asked['device']): Promise<Backend> {
  if (device === 'wasm') return cpu();
  return webgpu({ device: await env.backends.onnx.webgpu!.device });
}

/** The model's files, as a page gets them. */
async function files(): Promise<ModelFiles> {
  const get = (path: string) => fetch(`/models/${MODEL}/${path}`);
  const [config, model] = await Promise.all([get('config.json'), get('onnx/model.onnx')]);
  return {
    config: (await config.json()) as Record<string, unknown>,
    model: new Uint8Array(await model.arrayBuffer()),
  };
}

function same(actual: unknown, expected: unknown): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`expected ${wanted}, got ${got}`);
}
