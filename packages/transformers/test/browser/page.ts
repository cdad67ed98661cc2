/** What runs in the browser: the model is loaded and asked there, adopted, and asked again. */
import {
  env,
  pipeline,
  type TextGenerationPipeline,
  TextStreamer,
} from '@huggingface/transformers';
import { cpu } from '@jit-attention/backend-cpu';
import type { ModelFiles } from '@jit-attention/onnx';
import { offer } from '@jit-attention/testkit/exams/page';

import { adoptTransformers } from '../../src/index.js';

/** What the test asks for. */
export interface Asked {
  readonly device: 'wasm';
  readonly prompt: string;
  /** What Node writes. */
  readonly expected: string;
  readonly tokens: number;
}

env.allowLocalModels = true;
env.allowRemoteModels = false;
env.localModelPath = '/models/';
env.useBrowserCache = false;
env.useWasmCache = false;
env.backends.onnx.wasm!.wasmPaths = '/onnxruntime/';

const MODEL = 'reference';

offer<Asked>((runner, { device, prompt, expected, tokens }) => {
  runner.describe(device, () => {
    runner.it('writes what the original writes', async () => {
      const generator = await load(device);
      const before = await write(generator);
      const backend = await cpu();
      const handle = await adoptTransformers(generator.model, { source: await files(), backend });
      same(await write(generator), before);
      same(before.text, expected);
      await handle.restore();
      same(await write(generator), before);
      same(backend.memory().tensors, 0);
      await generator.dispose();
    });
  });

  async function write(
    generator: TextGenerationPipeline,
  ): Promise<{ text: string; pieces: string[] }> {
    const pieces: string[] = [];
    const streamer = new TextStreamer(generator.tokenizer, {
      callback_function: (piece) => void pieces.push(piece),
    });
    const [{ generated_text: text }] = await generator(prompt, {
      max_new_tokens: tokens,
      streamer,
    });
    return { text, pieces };
  }
});

const load = (device: Asked['device']): Promise<TextGenerationPipeline> =>
  pipeline('text-generation', MODEL, { dtype: 'fp32', device });

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
