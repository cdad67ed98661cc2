import {
  type Attention,
  type AttentionResult,
  type AttentionStrategy,
  type AuditReport,
  inputError,
  type Sequence,
} from '@jit-attention/core';

import type { Place } from '../cut/places.js';
import type { LayerOfModel, LayerReport } from '../model.js';
import type { Runtime, RuntimeTensor } from '../runtime.js';
import { Counts } from './counts.js';
import { Rows } from './rows.js';
import { makeTensor } from './tensors.js';

/** Of the steps of a single token, one in so many has its counters read: reading them back takes time. */
const COUNTED = 8;

export interface AttendOptions {
  /** Over what came before; without one, over these tokens alone. */
  readonly sequence: Sequence | undefined;
  /** Valid tokens of each batch row. */
  readonly lengths: readonly number[];
  /** Only the last so many tokens are asked for. */
  readonly queries: number;
  readonly signal: AbortSignal | undefined;
}

/** One attention of the model: ours, with what it has read so far. */
export class ModelLayer {
  readonly place: Place;
  readonly info: LayerOfModel;
  readonly attention: Attention;
  readonly #runtime: Runtime;
  #counts = new Counts();
  #steps = 0;

  /** `make` is given the listener of audits. */
  constructor(
    runtime: Runtime,
    place: Place,
    info: LayerOfModel,
    make: (onReport: (report: AuditReport) => void) => Attention,
  ) {
    this.#runtime = runtime;
    this.place = place;
    this.info = info;
    this.attention = make((report) => this.#counts.audited(report));
  }

  /** From the place's three values to the one it gives. */
  async attend(
    values: ReadonlyMap<string, RuntimeTensor>,
    { sequence, lengths, queries, signal }: AttendOptions,
  ): Promise<RuntimeTensor> {
    const start = performance.now();
    const { place, info } = this;
    const query = values.get(place.query)!;
    const rows = new Rows(place, query.dims);
    const key = values.get(place.key)!;
    this.#assertOwnTokens(rows.tokens, new Rows(place, key.dims).tokens);
    const inputs = {
      query: rows.last(query, queries),
      key: key.data as Float32Array,
      value: values.get(place.value)!.data as Float32Array,
      lengths,
    };
    const result = sequence
      ? await sequence.attend(inputs)
      : await this.attention.run({ ...inputs, signal, causal: info.causal, batch: rows.batch });
    const data = await this.#take(result, rows.tokens);
    this.#counts.ms += performance.now() - start;
    return makeTensor(this.#runtime, 'float32', data, rows.dims(queries));
  }

  #assertOwnTokens(queries: number, keys: number): void {
    if (queries === keys) return;
    const { kind, node, index } = this.info;
    throw inputError(
      `${kind} '${node}'`,
      'keys of the same tokens as the queries',
      `${keys} keys for ${queries} queries`,
      {
        code: 'UNSUPPORTED',
        hint: `attention to another text is not taken over; leave: [${index}] leaves it to ONNX Runtime`,
      },
    );
  }

  /** What was counted since the last report. */
  async report(): Promise<LayerReport> {
    const counts = this.#counts;
    this.#counts = new Counts();
    return { ...this.info, strategy: label(this.attention.strategy), ...(await counts.report()) };
  }

  /** The output's numbers. The result goes; its counters are read before, where it is their turn. */
  async #take(result: AttentionResult, tokens: number): Promise<Float32Array> {
    try {
      if (tokens > 1 || this.#steps++ % COUNTED === 0) this.#counts.add(result.stats());
      return await result.output.data();
    } finally {
      result.dispose();
    }
  }
}

/** `windowed(window: 512, sinks: 0)` */
function label({ name, options = {} }: AttentionStrategy): string {
  const words = Object.entries(options).map(([option, value]) => `${option}: ${String(value)}`);
  return words.length > 0 ? `${name}(${words.join(', ')})` : name;
}
