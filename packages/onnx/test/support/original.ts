import { Float16Array } from '@petamoriken/float16';
import { InferenceSession, Tensor } from 'onnxruntime-node';

import type { SmallModel } from './graphs/index.js';

/** Token ids of a step, a row a text of the batch, all of one length. */
export type Ids = readonly (readonly number[])[];

/** A small model in ONNX Runtime alone, which it is compared with. */
export class Original {
  readonly #session: InferenceSession;
  readonly #model: SmallModel;
  #past: Record<string, Tensor> = {};
  #length = 0;

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

  /** Logits `[B, T, VOCABULARY]` of the next tokens. `lengths`: the first so many of a row are no padding. */
  async step(ids: Ids, lengths?: readonly number[]): Promise<Float32Array> {
    const total = this.#length + ids[0].length;
    const feeds = { ...this.#inputs(ids, total, lengths), ...this.#pasts(ids.length) };
    const results = await this.#session.run(feeds);
    for (const name of Object.keys(this.#pasts(ids.length)))
      this.#past[name] = results[name.replace('past_key_values', 'present')];
    this.#length = total;
    return toFloats(results['logits']);
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #inputs(ids: Ids, total: number, lengths?: readonly number[]): Record<string, Tensor> {
    const batch = ids.length;
    const tokens = ids[0].length;
    const seen = (row: number, i: number): number => Number(i < (lengths?.[row] ?? total));
    const all: Record<string, Tensor> = {
      input_ids: integers([batch, tokens], (row, i) => ids[row][i]),
      attention_mask: integers([batch, total], seen),
      position_ids: integers([batch, tokens], (_, i) => total - tokens + i),
    };
    const wanted = this.#session.inputNames;
    return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name)));
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

function integers(
  [rows, columns]: readonly [number, number],
  at: (row: number, column: number) => number,
): Tensor {
  const values = Array.from({ length: rows * columns }, (_, i) =>
    BigInt(at(Math.floor(i / columns), i % columns)),
  );
  return new Tensor('int64', BigInt64Array.from(values), [rows, columns]);
}

/** Halves decoded. */
export function toFloats({ type, data }: Pick<Tensor, 'type' | 'data'>): Float32Array {
  if (type === 'float32') return Float32Array.from(data as Float32Array);
  const bits = data as unknown as Uint16Array;
  return Float32Array.from(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
}
