import type * as Ort from 'onnxruntime-node';

import { openRuntime, type RuntimeName } from '../runtimes.js';
import type { Subject } from '../subject.js';

type Feeds = Record<string, Ort.Tensor>;

/** Rows of logits: all, or those of the last token. */
export type Rows = 'all' | 1;

/** What was read: the cache, which every step returns grown. */
export interface Past {
  readonly length: number;
  readonly tensors: Feeds;
}

export interface UncutStep {
  /** `[rows, vocabulary]` */
  readonly logits: Float32Array;
  readonly past: Past;
}

/** The model in ONNX Runtime alone: one session, its cache handed back and forth, as programs do it today. */
export class Uncut {
  /** Nothing read yet. */
  readonly nothing: Past;
  readonly #ort: typeof Ort;
  readonly #session: Ort.InferenceSession;

  /** On so many threads. */
  static async open(
    { onnxFile }: Pick<Subject, 'onnxFile'>,
    runtime: RuntimeName,
    threads: number,
  ): Promise<Uncut> {
    const opened = await openRuntime(runtime, threads);
    return new Uncut(opened.ort, await opened.open(onnxFile, threads));
  }

  private constructor(ort: typeof Ort, session: Ort.InferenceSession) {
    this.#ort = ort;
    this.#session = session;
    const tensors = this.#pastNames().map((name) => [name, this.#empty(name)] as const);
    this.nothing = { length: 0, tensors: Object.fromEntries(tensors) };
  }

  /** Whether it can be asked for the last row alone; if not, it computes all. */
  get picksRows(): boolean {
    return this.#session.inputNames.includes('num_logits_to_keep');
  }

  /** Takes in the tokens that follow. */
  async step(
    ids: readonly number[],
    past: Past = this.nothing,
    rows: Rows = 1,
  ): Promise<UncutStep> {
    const length = past.length + ids.length;
    const given: Feeds = {
      input_ids: this.#integers(ids),
      attention_mask: this.#integers(new Array<number>(length).fill(1)),
      position_ids: this.#integers(ids.map((_, i) => past.length + i)),
      num_logits_to_keep: new this.#ort.Tensor('int64', [BigInt(rows === 'all' ? 0 : rows)], []),
    };
    const known = Object.entries(given).filter(([name]) => this.#session.inputNames.includes(name));
    const outputs = await this.#session.run({
      ...Object.fromEntries(known),
      ...past.tensors,
    });
    const { data, dims } = outputs['logits'];
    const grown = this.#pastNames().map((name) => [name, outputs[presentOf(name)]] as const);
    return {
      logits: lastRows(data as Float32Array, rows, dims.at(-1)!),
      past: { length, tensors: Object.fromEntries(grown) },
    };
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #pastNames(): string[] {
    return this.#session.inputNames.filter((name) => name.startsWith('past_key_values'));
  }

  /** `[1, kvHeads, 0, headDim]`, with the sizes that the graph declares. */
  #empty(name: string): Ort.Tensor {
    const found = this.#session.inputMetadata.find((one) => one.name === name);
    const shape = found?.isTensor ? found.shape : [];
    const [kvHeads, headDim] = [shape[1], shape[3]].map(Number);
    return new this.#ort.Tensor('float32', new Float32Array(0), [1, kvHeads, 0, headDim]);
  }

  #integers(values: readonly number[]): Ort.Tensor {
    return new this.#ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  }
}

function lastRows(logits: Float32Array, rows: Rows, vocabulary: number): Float32Array {
  return rows === 'all' ? logits : logits.subarray(-rows * vocabulary);
}

const presentOf = (past: string): string => past.replace('past_key_values', 'present');
