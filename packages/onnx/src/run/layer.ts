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
import type { RuntimeTensor } from '../runtime.js';
import type { Bridge } from './bridge.js';
import { Counts } from './counts.js';
import { Rows } from './rows.js';

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
  readonly #bridge: Bridge;
  #counts = new Counts();
  #steps = 0;

  /** `make` is given the listener of audits. */
  constructor(
    bridge: Bridge,
    place: Place,
    info: LayerOfModel,
    make: (onReport: (report: AuditReport) => void) => Attention,
  ) {
    this.#bridge = bridge;
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
    const given = [place.query, place.key, place.value].map((name) => values.get(name)!);
    const [rows, { tokens: keys }] = given.map(({ dims }) => new Rows(place, dims));
    this.#assertOwnTokens(rows.tokens, keys);
    const { query, key, value, dispose } = this.#bridge.cross(place, given, queries);
    const inputs = { query, key, value, lengths };
    const result = await (
      sequence
        ? sequence.attend(inputs)
        : this.attention.run({ ...inputs, signal, causal: info.causal, batch: rows.batch })
    ).finally(dispose);
    this.#count(result, rows.tokens);
    const output = await this.#bridge.back(result, rows.dims(queries));
    this.#counts.ms += performance.now() - start;
    return output;
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

  /** Reads the counters, where it is their turn. */
  #count(result: AttentionResult, tokens: number): void {
    if (tokens > 1 || this.#steps++ % COUNTED === 0) this.#counts.add(result.stats());
  }
}

/** `windowed(window: 512, sinks: 0)` */
function label({ name, options = {} }: AttentionStrategy): string {
  const words = Object.entries(options).map(([option, value]) => `${option}: ${String(value)}`);
  return words.length > 0 ? `${name}(${words.join(', ')})` : name;
}
