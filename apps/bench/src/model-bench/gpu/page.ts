/** The page in which transformers.js runs a model on the GPU, uncut and adopted: what a page of its users does. */
import { env, pipeline, type TextGenerationPipeline } from '@huggingface/transformers';
import { webgpu } from '@jit-attention/backend-webgpu';
import type { ModelFiles } from '@jit-attention/onnx';
import { topk } from '@jit-attention/strategy-topk';
import { adoptTransformers } from '@jit-attention/transformers';

import {
  type Adapter,
  type Answer,
  type Host,
  MODEL,
  MODELS,
  ONNXRUNTIME_FILES,
  type Opening,
  type Question,
} from './messages.js';
import { Text } from './text.js';

/** On SwiftShader ONNX Runtime's own WebGPU attention errs from prompts of 32 tokens on. */
const VERIFIED = 16;

env.allowLocalModels = true;
env.allowRemoteModels = false;
env.localModelPath = MODELS;
env.useBrowserCache = false;
env.useWasmCache = false;
env.backends.onnx.wasm!.wasmPaths = ONNXRUNTIME_FILES;

/** All on the one device that ONNX Runtime has in a page. */
const loaded = new Map<Host, Promise<TextGenerationPipeline>>();
const texts: Text[] = [];

Object.assign(globalThis, {
  answer: (question: Question): Promise<Answer> =>
    answer(question).catch((error: unknown) => ({
      error: error instanceof Error ? error.message : String(error),
    })),
});

async function answer(question: Question): Promise<Answer> {
  if (question.ask === 'write')
    return { written: await texts[question.text].write(question.count) };
  const found = loaded.get(question.host) ?? load(question);
  loaded.set(question.host, found);
  const { model } = await found;
  texts.push(new Text(model, question.prompt));
  return { text: texts.length - 1, adapter: await adapter() };
}

async function load({ host, threads, budget, queryBlock }: Opening) {
  env.backends.onnx.wasm!.numThreads = threads;
  const generator = await pipeline('text-generation', MODEL, { dtype: 'fp32', device: 'webgpu' });
  if (host === 'uncut') return generator;
  await adoptTransformers(generator.model, {
    source: await files(),
    strategy: host === 'topk' ? topk({ budget, queryBlock }) : undefined,
    backend: await webgpu({ device: await device() }),
    verify: { tokens: VERIFIED },
  });
  return generator;
}

/** The model's files, as a page gets them. */
async function files(): Promise<ModelFiles> {
  const get = (path: string) => fetch(`${MODELS}${MODEL}/${path}`);
  const [config, model] = await Promise.all([get('config.json'), get('onnx/model.onnx')]);
  return {
    config: (await config.json()) as Record<string, unknown>,
    model: new Uint8Array(await model.arrayBuffer()),
  };
}

/** ONNX Runtime's own, which it has once it has loaded a model. */
const device = (): Promise<GPUDevice> => env.backends.onnx.webgpu!.device;

async function adapter(): Promise<Adapter> {
  const { vendor, architecture, description, device: name } = (await device()).adapterInfo;
  return { vendor, architecture, description, device: name };
}
