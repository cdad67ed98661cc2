import { inputError } from '@jit-attention/core';
import { setImmediate } from 'node:timers/promises';

import type { AttentionData, LayerData } from './attention-data.js';
import { openModelDirectory } from './directory.js';
import { throwIfAborted } from './errors.js';
import { chooseLayers, commonShape, warningsOf } from './layers.js';
import { findAttention } from './onnx/attention-nodes.js';
import { readOnnx } from './onnx/file.js';
import { canStep, cutToLayers, requirePositions } from './onnx/plan-run.js';
import { DecoderSession } from './onnx/session.js';
import { LayerRecorder } from './recorder.js';
import { bookText } from './text.js';
import { encode, loadTokenizer } from './tokenize.js';

export interface CaptureOptions {
  /** A Hugging Face directory: `config.json`, `tokenizer.json`, `onnx/model.onnx`. */
  directory: string;
  /** How many tokens of the text the model reads. */
  tokens: number;
  /** What it reads; *Moby-Dick* from chapter 1 unless given. */
  text?: string;
  /** What it reads, as token ids, in place of `text`; the first `tokens` of them. */
  ids?: readonly number[];
  /** Numbers of the layers to keep; all unless given. A 0.6-billion model's layers are 67 MB each at 4,096 tokens. */
  layers?: readonly number[];
  /** Tokens a step; between steps the run reports and may be aborted. Default 512. */
  chunk?: number;
  onProgress?: (progress: CaptureProgress) => void;
  signal?: AbortSignal;
}

export interface CaptureProgress {
  /** Tokens read so far; 0 once the model is loaded. */
  done: number;
  tokens: number;
}

/**
 * Runs a decoder over a text and returns the queries, keys and values of its attention, as attention
 * sees them: rotated, heads apart, in f32.
 *
 * The graph is cut down to what these need and run by onnxruntime on the CPU. Keys and values are what
 * each `GroupQueryAttention` node writes to its cache; queries are what it reads, rotated here by the
 * node's own tables where it would rotate them inside.
 *
 * @throws `MISSING_INPUT` for files that are not there, `UNSUPPORTED` for models that compute attention
 *   in other operators or in ways that hide these values, `INVALID_OPTION` for tokens or layers that
 *   the model has not, `ABORTED` when `signal` is
 */
export async function captureAttention(options: CaptureOptions): Promise<AttentionData> {
  const { tokens, chunk = 512 } = options;
  requireCount('tokens', tokens);
  requireCount('chunk', chunk);
  const { config, onnxFile } = openModelDirectory(options.directory);
  const file = readOnnx(onnxFile);
  const all = findAttention(file);
  const numbers = all.map(({ layer }) => layer);
  const wanted = chooseLayers('captureAttention layers', numbers, options.layers);
  const chosen = all.filter(({ layer }) => wanted.includes(layer));
  requirePositions(file, chosen, tokens);
  const ids = takeIds(options);

  const running = cutToLayers(file, all, chosen);
  const session = await DecoderSession.open(file, running);
  try {
    const recorders = chosen.map((node) => new LayerRecorder(node, tokens));
    const step = canStep(file, running) ? chunk : tokens;
    const layers = await read(session, recorders, { ...options, ids, chunk: step });
    return {
      config: {
        source: onnxFile,
        model: config.model_type ?? 'unknown',
        layers: all.length,
        ...commonShape(recorders),
        tokens,
      },
      layers,
      warnings: warningsOf(chosen, all.length, config.num_hidden_layers),
    };
  } finally {
    await session.release();
  }
}

/** Runs the ids step by step; each step's queries are copied out before the next. */
async function read(
  session: DecoderSession,
  recorders: LayerRecorder[],
  { ids, chunk, onProgress, signal }: CaptureOptions & { ids: number[]; chunk: number },
): Promise<LayerData[]> {
  const queries = recorders.flatMap((recorder) => recorder.outputs);
  const tables = recorders.flatMap((recorder) => recorder.firstOutputs);
  let outputs: Awaited<ReturnType<DecoderSession['step']>> = {};
  for (let from = 0; from < ids.length; from += chunk) {
    onProgress?.({ done: from, tokens: ids.length });
    await setImmediate(); // onnxruntime-node blocks the thread while it runs
    throwIfAborted('captureAttention', signal);
    const step = { ids: ids.slice(from, from + chunk), from };
    outputs = await session.step(step, from === 0 ? [...queries, ...tables] : queries);
    for (const recorder of recorders) recorder.record(outputs, from);
    commonShape(recorders); // refuses after the first step, not after the last
  }
  onProgress?.({ done: ids.length, tokens: ids.length });
  return recorders.map((recorder) => recorder.finish(outputs));
}

function takeIds({ directory, tokens, text, ids }: CaptureOptions): number[] {
  if (!ids) return encode(loadTokenizer(directory), text ?? bookText(), tokens);
  if (ids.length < tokens) {
    throw inputError('captureAttention ids', `at least ${tokens} token ids`, ids.length);
  }
  return ids.slice(0, tokens);
}

function requireCount(name: string, value: number): void {
  if (Number.isInteger(value) && value > 0) return;
  throw inputError(`captureAttention ${name}`, 'a whole number of at least 1', value);
}
