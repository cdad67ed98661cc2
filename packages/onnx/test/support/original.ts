import { Float16Array } from '@petamoriken/float16';
import { InferenceSession, Tensor } from 'onnxruntime-node';

import type { SmallModel } from './graphs/index.js';

/** The next tokens of each text of a batch, all of one length. */
export interface Step {
  readonly ids: readonly (readonly number[])[];
  /** The first so many of a row are tokens, the rest is padding. Default: all. */
  readonly lengths?: readonly number[] | undefined;
}

/** A small model in ONNX Runtime alone, which ours is compared with. */
export class Original {
  readonly #session: InferenceSession;
  readonly #model: SmallModel;
  #past: Record<string, Tensor> = {};
  /** `attention_mask` so far, a row a text. */
  #mask: number[][] = [];

  private constructor(session: InferenceSession, model: SmallModel) {
    this.#session = session;
    this.#model = model;
  }

  static async load(model: SmallModel): Promise<Original> {
    const externalData = Object.entries(model.externalData).map(([path, data]) => ({ path, data }));
    const session = await InferenceSession.create(model.model, {
      logSeverityLevel: 3,
      graphOptimizationLevel: 'basic',
      ...(externalData.length > 0 && { externalData }),
    });
    return new Original(session, model);
  }

  /** Logits `[B, T, VOCABULARY]`. */
  async step(step: Step): Promise<Float32Array> {
    const results = await this.values(step);
    for (const name of Object.keys(results))
      this.#past[name.replace('present', 'past_key_values')] = results[name];
    return toFloats(results['logits']);
  }

  /** All outputs by name; the texts go on by these tokens. */
  async values({ ids, lengths }: Step): Promise<Record<string, Tensor>> {
    const before = ids.map((_, row) => this.#mask[row] ?? []);
    const count = before.map((row) => row.reduce((sum, one) => sum + one, 0));
    this.#mask = ids.map((row, b) => [
      ...before[b],
      ...row.map((_, i) => Number(i < (lengths?.[b] ?? row.length))),
    ]);
    const inputs = {
      input_ids: integers(ids),
      attention_mask: integers(this.#mask),
      position_ids: integers(ids.map((row, b) => row.map((_, i) => count[b] + i))),
    };
    return this.#session.run(this.#wanted({ ...inputs, ...this.#pasts(ids.length) }));
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #wanted(feeds: Record<string, Tensor>): Record<string, Tensor> {
    const { inputNames } = this.#session;
    return Object.fromEntries(Object.entries(feeds).filter(([name]) => inputNames.includes(name)));
  }

  #pasts(batch: number): Record<string, Tensor> {
    const names = this.#session.inputNames.filter((name) => name.startsWith('past_key_values'));
    return Object.fromEntries(names.map((name) => [name, this.#past[name] ?? this.#empty(batch)]));
  }

  #empty(batch: number): Tensor {
    const { type, sizes } = this.#model;
    const dims = [batch, sizes.kvHeads, 0, sizes.headDim];
    return type === 'f16'
      ? new Tensor('float16', new Uint16Array(0), dims)
      : new Tensor('float32', new Float32Array(0), dims);
  }
}

function integers(rows: readonly (readonly number[])[]): Tensor {
  const values = BigInt64Array.from(rows.flat(), BigInt);
  return new Tensor('int64', values, [rows.length, rows[0].length]);
}

/** Halves decoded. */
export function toFloats({
  type,
  data,
}: {
  readonly type: string;
  readonly data: unknown;
}): Float32Array {
  if (type === 'float32') return Float32Array.from(data as Float32Array);
  const bits = data as Uint16Array;
  return Float32Array.from(
    new Float16Array(bits.buffer as ArrayBuffer, bits.byteOffset, bits.length),
  );
}
