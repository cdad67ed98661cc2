import type { Tokenizer } from '@huggingface/tokenizers';
import { basename } from 'node:path';

import { type Backend, inputError } from '@jit-attention/core';
import { type AdoptedModel, adopt, type AdoptOptions, type Runtime } from '@jit-attention/onnx';
import { modelDirectory } from '@jit-attention/reference-model';

import { openModelDirectory } from '../model/directory.js';
import { bookText, encodeUpTo, loadTokenizer, readText } from '../model/index.js';
import type { ResultRow } from '../output/results.js';
import { assertExists, fromUser } from '../options/paths.js';
import { LATER, strategyOf, type Variant } from './variants.js';

/** The model that is measured, and what it reads. */
export interface Subject {
  readonly directory: string;
  readonly onnxFile: string;
  /** How to speak of the model and the text. */
  readonly model: string;
  readonly textName: string;
  /** Positions that it has. */
  readonly context: number;
  readonly tokenizer: Tokenizer;
  /** Token ids of the text. */
  readonly text: readonly number[];
}

/** Of its attention, as rows of results have them. */
export type Sizes = Pick<ResultRow, 'heads' | 'kvHeads' | 'headDim'>;

/** As much of the text is read as passages are drawn from. */
const TEXT = 100_000;

/**
 * @param needed tokens that the text must have
 * @throws {InputError} `MISSING_INPUT` for files that are not there; `INVALID_OPTION` for a text or a model whose
 *   context is too short
 */
export function openSubject(wanted: { model?: string; text?: string }, needed: number): Subject {
  const directory = wanted.model === undefined ? modelDirectory : fromUser(wanted.model);
  const textFile = wanted.text === undefined ? undefined : fromUser(wanted.text);
  if (wanted.model !== undefined) assertExists('--model', directory, 'directory');
  if (textFile !== undefined) assertExists('--text', textFile, 'file');
  const { config, onnxFile } = openModelDirectory(directory);
  const tokenizer = loadTokenizer(directory);
  const text = encodeUpTo(
    tokenizer,
    textFile === undefined ? bookText() : readText(textFile),
    TEXT,
  );
  const textName = textFile === undefined ? 'Moby-Dick' : basename(textFile);
  if (text.length < needed)
    throw inputError(
      '--text',
      `a text of at least ${needed} tokens`,
      `${textName}: ${text.length}`,
    );
  return {
    ...{ directory, onnxFile, tokenizer, text, textName },
    model: wanted.model === undefined ? 'the reference model' : basename(directory),
    context: config.max_position_embeddings ?? Infinity,
  };
}

/** What a model is run with, besides a strategy. */
export interface Host {
  readonly backend: Backend;
  readonly threads: number;
  /** Default: onnxruntime-node. */
  readonly runtime?: Runtime | undefined;
}

/** A model of the subject's files whose attention is ours. */
export function adoptSubject(
  { directory }: Subject,
  { backend, threads, runtime }: Host,
  options: AdoptOptions = {},
): Promise<AdoptedModel> {
  const session = { intraOpNumThreads: threads, logSeverityLevel: 3 } as const;
  return adopt(directory, { backend, runtime, session, verify: false, ...options });
}

/** What is known of a model once it is adopted. */
export interface Anatomy {
  /** Of the first layer. */
  readonly sizes: Sizes;
  readonly layers: number;
  readonly vocabulary: number;
}

/**
 * Adopts the model once, dense, and compares it with the original.
 *
 * @throws {InputError | ModelError} what `adopt` throws: a file is missing, an attention is not supported, results
 *   differ
 */
export async function inspect(subject: Subject, host: Host): Promise<Anatomy> {
  const model = await adoptSubject(subject, host, { verify: true });
  try {
    const [{ heads, kvHeads, headDim }] = model.layers;
    const { logits } = await model.forward(subject.text.slice(0, 1));
    const sizes = { heads, kvHeads, headDim };
    return { sizes, layers: model.layers.length, vocabulary: logits.dims.at(-1)! };
  } finally {
    await model.dispose();
  }
}

/** The same with a variant's strategy for `tokens` tokens of context. */
export function adoptVariant(
  subject: Subject,
  host: Host,
  variant: Variant,
  tokens: number,
): Promise<AdoptedModel> {
  const { keepsFirst, pageSize } = variant;
  return adoptSubject(subject, host, {
    strategy: strategyOf(variant, tokens),
    layers: keepsFirst ? LATER : 'all',
    pageSize,
  });
}

/** Token ids as a model takes them. */
export function feedsOf(ids: readonly number[]): { input_ids: { dims: number[]; data: number[] } } {
  return { input_ids: { dims: [1, ids.length], data: [...ids] } };
}
