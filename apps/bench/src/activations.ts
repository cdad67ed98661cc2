import { basename } from 'node:path';

import { inputError } from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';

import { openModelDirectory } from './model/directory.js';
import {
  type AttentionData,
  bookText,
  captureAttention,
  encodeUpTo,
  loadTokenizer,
  readQkv,
  readText,
} from './model/index.js';
import { chooseLayers } from './model/layers.js';
import { findAttention } from './model/onnx/attention-nodes.js';
import { readOnnx } from './model/onnx/file.js';
import type { OverviewOptions } from './options/overview-options.js';
import { assertExists, fromUser } from './options/paths.js';

/** Queries, keys and values to measure on, and how to speak of them. */
export interface Activations {
  readonly data: AttentionData;
  readonly model: string;
  readonly text: string;
}

/** Where activations come from, checked as far as can be without work. */
export interface ActivationsSource {
  /** What is about to be done, for progress. */
  readonly title: string;
  load(onProgress: (share: number) => void): Promise<Activations>;
  /** Contexts to measure, the longest last. */
  readonly tokens: readonly number[];
}

type Wanted = Pick<OverviewOptions, 'qkv' | 'model' | 'text' | 'tokens' | 'layers' | 'quick'>;

const DEFAULT_TOKENS = 4096;

/** @throws {InputError} for files that are not there, layers and tokens that the model or file has not */
export function openActivations(wanted: Wanted): ActivationsSource {
  return wanted.qkv === undefined ? fromModel(wanted) : fromFile(wanted.qkv, wanted);
}

function fromFile(qkv: string, wanted: Wanted): ActivationsSource {
  const path = fromUser(qkv);
  assertExists('--qkv', path, 'file');
  const { config, layers, warnings } = readQkv(path, wanted.layers);
  const numbers = chosenLayers(
    layers.map(({ layer }) => layer),
    wanted,
  );
  const data = { config, warnings, layers: layers.filter(({ layer }) => numbers.includes(layer)) };
  return {
    title: `Reading ${basename(path)}`,
    tokens: chosenTokens(wanted, config.tokens, `the context of ${basename(path)}`),
    load: () => Promise.resolve({ data, model: config.model, text: basename(path) }),
  };
}

function fromModel(wanted: Wanted): ActivationsSource {
  const directory = wanted.model === undefined ? modelDirectory : fromUser(wanted.model);
  const textFile = wanted.text === undefined ? undefined : fromUser(wanted.text);
  if (wanted.model !== undefined) assertExists('--model', directory, 'directory');
  if (textFile !== undefined) assertExists('--text', textFile, 'file');
  const { config, onnxFile } = openModelDirectory(directory);
  const model = wanted.model === undefined ? 'the reference model' : basename(directory);
  const context = config.max_position_embeddings ?? Infinity;
  const longest = chosenTokens(wanted, context, `the context of ${model}`).at(-1)!;
  const ids = encodeUpTo(loadTokenizer(directory), textOf(textFile), longest);
  const tokens = chosenTokens(wanted, ids.length, 'the tokens of the text');
  const known = findAttention(readOnnx(onnxFile)).map(({ layer }) => layer);
  const layers = chosenLayers(known, wanted);
  const text = textFile === undefined ? 'Moby-Dick' : basename(textFile);
  return {
    title: `Letting ${model} read ${text}`,
    tokens,
    async load(onProgress) {
      const data = await captureAttention({
        directory,
        tokens: ids.length,
        layers,
        ids,
        onProgress: (progress) => onProgress(progress.done / progress.tokens),
      });
      return { data, model, text };
    },
  };
}

/** @throws {InputError} `INVALID_OPTION` for a file without text */
function textOf(file: string | undefined): string {
  if (file === undefined) return bookText();
  const text = readText(file);
  if (text.trim() !== '') return text;
  throw inputError('--text', 'a text to read', `${file}, which is empty`);
}

/** Those asked for, else what there is up to {@link DEFAULT_TOKENS}; ascending. */
function chosenTokens({ tokens }: Wanted, most: number, of: string): number[] {
  const chosen = [...(tokens ?? [Math.min(DEFAULT_TOKENS, most)])].sort((a, b) => a - b);
  if (chosen.at(-1)! <= most) return chosen;
  throw inputError('--tokens', `at most ${most}, ${of}`, chosen.at(-1));
}

/** Those asked for; else all, or with `--quick` the first and the last. */
function chosenLayers(known: readonly number[], { layers, quick }: Wanted): number[] {
  const ends = [...new Set([known[0], known.at(-1)!])];
  return chooseLayers('--layers', known, layers ?? (quick ? ends : undefined));
}
