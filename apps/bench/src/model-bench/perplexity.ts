import type { AdoptedModel, SequenceOfModel } from '@jit-attention/onnx';

import { divergence, type Estimate, lossOf, meanOf, perplexityChange } from './statistics.js';
import { feedsOf } from './subject.js';

/** What a model says of the tokens of a text. */
export interface Reading {
  /** `-log p` of every token that was predicted, in nats. */
  readonly losses: Float64Array;
  /** Logits at every `stride`-th of them. */
  readonly samples: readonly Float32Array[];
}

/** A reading, beside that of dense attention. */
export interface Perplexity {
  /** A token; the interval is that of the mean loss. */
  readonly perplexity: Estimate;
  /** Tokens predicted. */
  readonly cases: number;
  /** Relative to dense attention's, over the same tokens. */
  readonly change: Estimate;
  /** Mean `KL(dense ‖ this)` of next-token distributions, in nats. */
  readonly divergence: Estimate;
  /** Distributions that were compared. */
  readonly compared: number;
}

export interface ReadOptions {
  /** Tokens of a window. */
  readonly tokens: number;
  /** Every so many-th prediction is kept whole. */
  readonly stride: number;
  readonly onTokens: (count: number) => void;
}

/** Logits of so many tokens are in memory at a time. */
const CHUNK = 512;

/**
 * Reads windows of a text, each for itself; all tokens of a window but its first are predicted. What is left at
 * the end of the text is not read.
 */
export async function read(
  model: AdoptedModel,
  text: readonly number[],
  { tokens, stride, onTokens }: ReadOptions,
): Promise<Reading> {
  const losses: number[] = [];
  const samples: Float32Array[] = [];
  for (let start = 0; start + tokens <= text.length; start += tokens) {
    const window = text.slice(start, start + tokens);
    const sequence = model.sequence({ capacity: tokens });
    try {
      for await (const { logits, next } of predictions(sequence, window, onTokens)) {
        losses.push(lossOf(logits, next));
        if (losses.length % stride === 0) samples.push(logits.slice());
      }
    } finally {
      sequence.dispose();
    }
  }
  return { losses: Float64Array.from(losses), samples };
}

async function* predictions(
  sequence: SequenceOfModel,
  window: readonly number[],
  onTokens: (count: number) => void,
): AsyncGenerator<{ logits: Float32Array; next: number }> {
  for (let start = 0; start < window.length; start += CHUNK) {
    const ids = window.slice(start, start + CHUNK);
    const outputs = await sequence.step(feedsOf(ids), { logits: 'all' });
    const logits = outputs['logits'].data as Float32Array;
    const vocabulary = logits.length / ids.length;
    for (let i = 0; i < ids.length && start + i + 1 < window.length; i++)
      yield {
        logits: logits.subarray(i * vocabulary, (i + 1) * vocabulary),
        next: window[start + i + 1],
      };
    onTokens(ids.length);
  }
}

/** Of the same text by the same windows. */
export function compare({ losses, samples }: Reading, dense: Reading): Perplexity {
  const { value, low, high } = meanOf(losses);
  return {
    perplexity: { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high) },
    cases: losses.length,
    change: perplexityChange(losses, dense.losses),
    divergence: meanOf(samples.map((logits, i) => divergence(dense.samples[i], logits))),
    compared: samples.length,
  };
}
