import { InferenceSession, Tensor } from 'onnxruntime-node';

import { SIZES } from './tiny-llama.js';

/** `past_key_values.N.key/value` by name. */
export type Past = Record<string, Tensor>;

/** A converted graph in onnxruntime-node. */
export class Decoder {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async load(path: string): Promise<Decoder> {
    return new Decoder(await InferenceSession.create(path));
  }

  /** Runs the tokens after `past`; the logits of the last `keep` of them, of all for 0, row by row. */
  async run(
    ids: readonly number[],
    { past = emptyPast(), keep = 0 }: { past?: Past; keep?: number } = {},
  ): Promise<{ logits: number[][]; past: Past }> {
    const total = ids.length + past['past_key_values.0.key'].dims[2];
    const outputs = await this.#session.run({
      input_ids: int64(ids, [1, ids.length]),
      attention_mask: int64(new Array<number>(total).fill(1), [1, total]),
      num_logits_to_keep: int64([keep], []),
      ...past,
    });
    const present = Object.entries(outputs).filter(([name]) => name.startsWith('present.'));
    return {
      logits: rows(outputs['logits']),
      past: Object.fromEntries(
        present.map(([name, tensor]) => [name.replace('present', 'past_key_values'), tensor]),
      ),
    };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function emptyPast(): Past {
  const dims = [1, SIZES.kvHeads, 0, SIZES.headDim];
  const names = Array.from({ length: SIZES.layers }, (_, layer) => `past_key_values.${layer}`);
  const empty = (name: string) => [name, new Tensor('float32', new Float32Array(0), dims)];
  return Object.fromEntries(names.flatMap((n) => [empty(`${n}.key`), empty(`${n}.value`)])) as Past;
}

function int64(values: readonly number[], dims: number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

function rows({ data, dims }: Tensor): number[][] {
  const columns = dims[2];
  return Array.from({ length: dims[1] }, (_, row) =>
    Array.from((data as Float32Array).subarray(row * columns, (row + 1) * columns)),
  );
}
