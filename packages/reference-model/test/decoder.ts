import { modelDirectory, readModelConfig } from '@jit-attention/reference-model';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { join } from 'node:path';

const config = readModelConfig();

/** `past_key_values.N.key/value` by name, as the next call takes them. */
export type Past = Record<string, Tensor>;

/** The generated graph in onnxruntime-node. */
export class Decoder {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async load(): Promise<Decoder> {
    return new Decoder(await InferenceSession.create(join(modelDirectory, 'onnx', 'model.onnx')));
  }

  /** Runs the tokens that follow `past`; `logits` is `[ids.length, vocabulary]`. */
  async run(
    ids: ArrayLike<number>,
    past: Past = emptyPast(),
  ): Promise<{ logits: Float32Array; past: Past }> {
    const total = ids.length + past['past_key_values.0.key'].dims[2];
    const outputs = await this.#session.run({
      input_ids: int64(Array.from(ids, BigInt)),
      attention_mask: int64(new Array<bigint>(total).fill(1n)),
      ...past,
    });
    const present = Object.entries(outputs).filter(([name]) => name.startsWith('present.'));
    return {
      logits: outputs['logits'].data as Float32Array,
      past: Object.fromEntries(
        present.map(([name, tensor]) => [name.replace('present', 'past_key_values'), tensor]),
      ),
    };
  }

  /** Continues `ids` with the most probable token, `count` times. */
  async greedy(ids: ArrayLike<number>, count: number): Promise<number[]> {
    let { logits, past } = await this.run(ids);
    const out: number[] = [];
    for (;;) {
      out.push(argmax(logits.subarray(-config.vocab_size)));
      if (out.length === count) return out;
      ({ logits, past } = await this.run(out.slice(-1), past));
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function emptyPast(): Past {
  const { num_hidden_layers, num_key_value_heads, head_dim } = config;
  const past: Past = {};
  for (let layer = 0; layer < num_hidden_layers; layer++) {
    for (const kind of ['key', 'value']) {
      const dims = [1, num_key_value_heads, 0, head_dim];
      past[`past_key_values.${layer}.${kind}`] = new Tensor('float32', new Float32Array(0), dims);
    }
  }
  return past;
}

function int64(values: bigint[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values), [1, values.length]);
}

function argmax(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
}
