import { modelDirectory, readModelConfig } from '@jit-attention/reference-model';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { join } from 'node:path';

const config = readModelConfig();

/** The reference model in ONNX Runtime alone: what an adopted one is held to. */
export class Uncut {
  readonly #session: InferenceSession;
  #past: Record<string, Tensor> = {};
  #length = 0;

  static async load(): Promise<Uncut> {
    return new Uncut(await InferenceSession.create(join(modelDirectory, 'onnx', 'model.onnx')));
  }

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Logits `[ids, vocabulary]` of the tokens that follow. */
  async step(ids: readonly number[]): Promise<Float32Array> {
    this.#length += ids.length;
    const outputs = await this.#session.run({
      input_ids: int64(ids),
      attention_mask: int64(new Array<number>(this.#length).fill(1)),
      ...this.#pasts(),
    });
    for (const name of Object.keys(this.#pasts()))
      this.#past[name] = outputs[name.replace('past_key_values', 'present')];
    return outputs['logits'].data as Float32Array;
  }

  /** Begins anew. */
  reset(): void {
    this.#past = {};
    this.#length = 0;
  }

  /** The most probable continuation. */
  async greedy(ids: readonly number[], count: number): Promise<number[]> {
    this.reset();
    const out: number[] = [];
    for (let next = ids; out.length < count; next = out.slice(-1)) {
      const logits = await this.step(next);
      out.push(argmax(logits.subarray(-config.vocab_size)));
    }
    return out;
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #pasts(): Record<string, Tensor> {
    const names = this.#session.inputNames.filter((name) => name.startsWith('past_key_values'));
    const dims = [1, config.num_key_value_heads, 0, config.head_dim];
    const empty = (): Tensor => new Tensor('float32', new Float32Array(0), dims);
    return Object.fromEntries(names.map((name) => [name, this.#past[name] ?? empty()]));
  }
}

function int64(values: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
}

function argmax(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}
