import {
  type AttentionResult,
  type AttentionStrategy,
  type Backend,
  createAttention,
  type Sequence,
  type Tensor,
} from '@jit-attention/core';

import type { AttentionConfig, LayerData } from '../model/attention-data.js';
import { type Run, STRETCH } from './runs.js';

/** One layer of a model, with the sizes that its arrays have. */
export interface LayerInput extends LayerData {
  readonly config: AttentionConfig;
}

/**
 * One strategy on its way through a recorded context: a sequence that is given the recorded keys and values, and
 * asked only the queries that are measured.
 */
export class Walk {
  readonly #input: LayerInput;
  readonly #sequence: Sequence;

  constructor(backend: Backend, strategy: AttentionStrategy, input: LayerInput) {
    const { heads, kvHeads, headDim, valueDim, scale, tokens } = input.config;
    const attention = createAttention({
      backend,
      strategy,
      heads,
      kvHeads,
      headDim,
      valueDim,
      scale,
      rollback: STRETCH, // the longest run: each is done again
    });
    this.#input = input;
    this.#sequence = attention.sequence({ capacity: tokens });
  }

  /** Appends what comes before `position`. A call asks at least one query; its answer is thrown away. */
  async advance(position: number): Promise<void> {
    if (position === this.#sequence.length) return;
    const result = await this.attend({ start: position - 1, count: 1 });
    result.dispose();
  }

  /** Appends all keys and values up to the run's end, attends with its queries; the result is the caller's. */
  attend(run: Run): Promise<AttentionResult> {
    return this.#sequence.attend(tokensFor(this.#input, run, this.#sequence.length));
  }

  /** The same with what lies on the backend already: the run follows on what was appended. */
  attendTo(tensors: RunTensors): Promise<AttentionResult> {
    return this.#sequence.attend(tensors);
  }

  /** Forgets a run, to do it again. */
  rewind(run: Run): void {
    this.#sequence.truncate(run.start);
  }

  dispose(): void {
    this.#sequence.dispose();
  }
}

/** A run's queries, keys and values on a backend. */
export type RunTensors = Readonly<Record<'query' | 'key' | 'value', Tensor>>;

export function uploadRun(backend: Backend, input: LayerInput, run: Run): RunTensors {
  const { heads, kvHeads, headDim, valueDim } = input.config;
  const { query, key, value } = tokensFor(input, run, run.start);
  const upload = (data: Float32Array, count: number, width: number): Tensor =>
    backend.tensor(data, { shape: [1, count, run.count, width] });
  return {
    query: upload(query, heads, headDim),
    key: upload(key, kvHeads, headDim),
    value: upload(value, kvHeads, valueDim),
  };
}

/** The queries of a run, and what there is to append to `length` tokens before they can be asked. */
function tokensFor(
  { query, key, value, config }: LayerInput,
  { start, count }: Run,
  length: number,
): Record<'query' | 'key' | 'value', Float32Array> {
  const { heads, kvHeads, headDim, valueDim } = config;
  const end = start + count;
  return {
    query: tokensOf(query, heads, headDim, start, end),
    key: tokensOf(key, kvHeads, headDim, length, end),
    value: tokensOf(value, kvHeads, valueDim, length, end),
  };
}

/** Tokens `[start, end)` of `[heads, tokens, width]`. */
export function tokensOf(
  data: Float32Array,
  heads: number,
  width: number,
  start: number,
  end: number,
): Float32Array {
  const tokens = data.length / heads / width;
  const out = new Float32Array(heads * (end - start) * width);
  for (let head = 0; head < heads; head++) {
    const row = data.subarray((head * tokens + start) * width, (head * tokens + end) * width);
    out.set(row, head * (end - start) * width);
  }
  return out;
}
