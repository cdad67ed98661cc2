/**
 * What we rely on of transformers.js and do not find in its documentation. A failure says what has changed, and the
 * message which of our files has to follow; then the peer range in package.json can be widened.
 */
import { readFileSync } from 'node:fs';

import { AutoModelForCausalLM, DynamicCache, env, Tensor } from '@huggingface/transformers';
import type { RuntimeFeeds, RuntimeSession, RuntimeTensor } from '@jit-attention/onnx';
import { modelDirectory } from '@jit-attention/reference-model';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { findSession, type LoadedSession } from '../src/loaded-model.js';
import { type LoadedRuntime, runtimeOf } from '../src/runtime.js';

const VOCABULARY = 2048;
const SIZES = [2, 64] as const;

/** A session that notes what it is asked, and always finds token 7 the best. */
class Listener {
  readonly runs: RuntimeFeeds[] = [];
  readonly made: RuntimeTensor[] = [];
  readonly disposed: RuntimeTensor[] = [];
  released = 0;
  readonly #Tensor: LoadedRuntime['Tensor'];
  readonly inputMetadata: RuntimeSession['inputMetadata'];

  constructor(Tensor: LoadedRuntime['Tensor'], others: readonly string[] = []) {
    this.#Tensor = Tensor;
    this.inputMetadata = [
      ...['input_ids', 'attention_mask', ...others].map((name) => tokens(name)),
      { name: 'num_logits_to_keep', isTensor: true, type: 'int64', shape: [] },
      {
        ...{ name: 'past_key_values.0.key', isTensor: true, type: 'float32' },
        shape: ['batch_size', SIZES[0], 'past_sequence_length', SIZES[1]],
      },
    ];
  }

  get inputNames() {
    return this.inputMetadata.map(({ name }) => name);
  }

  run(feeds: RuntimeFeeds): Promise<RuntimeFeeds> {
    this.runs.push(feeds);
    const [batch, count] = feeds.input_ids.dims;
    const rows = Number((feeds.num_logits_to_keep.data as BigInt64Array)[0]) || count;
    const logits = new Float32Array(batch * rows * VOCABULARY);
    for (let row = 0; row < batch * rows; row++) logits[row * VOCABULARY + 7] = 1;
    const past = feeds['past_key_values.0.key'].dims.at(-2)!;
    return Promise.resolve({
      logits: new this.#Tensor('float32' as never, logits as never, [batch, rows, VOCABULARY]),
      'present.0.key': this.#entry(batch, past + count),
    });
  }

  release(): Promise<void> {
    this.released++;
    return Promise.resolve();
  }

  #entry(batch: number, length: number): RuntimeTensor {
    const tensor = this.#Tensor.fromGpuBuffer(
      {},
      {
        ...{ dataType: 'float32', dims: [batch, SIZES[0], length, SIZES[1]] },
        dispose: () => this.disposed.push(tensor),
        download: () => Promise.reject(new Error('nobody may look')),
      },
    );
    this.made.push(tensor);
    return tensor;
  }
}

const tokens = (name: string) => ({
  ...{ name, isTensor: true, type: 'int64', shape: ['batch_size', 'sequence_length'] },
});

const ids = (...rows: number[][]) =>
  new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);

const numbers = (tensor: { readonly data: unknown }) =>
  Array.from(tensor.data as BigInt64Array, Number);

describe(`transformers.js ${env.version}`, () => {
  let model: Awaited<ReturnType<typeof AutoModelForCausalLM.from_pretrained>>;
  let original: LoadedSession;
  let runtime: LoadedRuntime;
  let listener: Listener;

  const listen = (...others: string[]) => {
    listener = new Listener(runtime.Tensor, others);
    model.sessions.model = listener;
  };

  beforeAll(async () => {
    env.allowRemoteModels = false;
    model = await AutoModelForCausalLM.from_pretrained(modelDirectory, { dtype: 'fp32' });
    original = findSession(model).session;
    runtime = await runtimeOf(original);
  });
  beforeEach(() => listen());
  afterAll(async () => original?.release());

  it('is of the versions that package.json allows', () => {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    const { peerDependencies } = JSON.parse(text) as { peerDependencies: Record<string, string> };
    const [major, minor] = env.version.split('.');
    expect(peerDependencies['@huggingface/transformers']).toBe(`~${major}.${minor}.1`);
  });

  it('keeps a session of ONNX Runtime, and as what it was loaded: src/loaded-model.ts, src/load-options.ts', () => {
    expect(original.inputNames).toContain('past_key_values.0.key');
    expect(original.inputMetadata.map(({ name }) => name)).toEqual([...original.inputNames]);
    expect(original.config).toEqual({ dtype: 'fp32', device: 'cpu' });
  });

  it('recognises tensors by the class that its sessions give, not by its own: src/runtime.ts', () => {
    const tensor = runtime.Tensor.fromGpuBuffer(
      {},
      {
        ...{ dataType: 'float32', dims: [1, 2], dispose: () => undefined },
        download: () => Promise.reject(new Error()),
      },
    );
    expect(new Tensor(tensor as never).location).toBe('gpu-buffer');
    expect((new Tensor(tensor as never) as unknown as { ort_tensor: unknown }).ort_tensor).toBe(
      tensor,
    );
  });

  it('feeds what the session names, as tensors of ONNX Runtime: src/decoder-session.ts', async () => {
    await model.generate({ inputs: ids([3, 4, 5]), max_new_tokens: 1 });
    const [feeds] = listener.runs;
    expect(Object.keys(feeds).sort()).toEqual([...listener.inputNames].sort());
    expect(numbers(feeds.input_ids)).toEqual([3, 4, 5]);
    expect(feeds.attention_mask.dims).toEqual([1, 3]);
    expect(numbers(feeds.attention_mask)).toEqual([1, 1, 1]);
  });

  it('begins with an empty tensor; batch_size is the symbol that it knows: src/caches.ts', async () => {
    await model.generate({ inputs: ids([3, 4], [5, 6]), max_new_tokens: 1 });
    expect(listener.runs[0]['past_key_values.0.key'].dims).toEqual([2, SIZES[0], 0, SIZES[1]]);
  });

  it('makes position_ids where the session names them: src/decoder-session.ts', async () => {
    listen('position_ids');
    await model.generate({
      ...{ inputs: ids([0, 3], [4, 5]), attention_mask: ids([0, 1], [1, 1]), max_new_tokens: 2 },
    });
    expect(listener.runs.map(({ position_ids }) => numbers(position_ids))).toEqual([
      [1, 0, 0, 1],
      [1, 2],
    ]);
  });

  it('wants one row of logits in generate, all (0) in forward: src/decoder-session.ts', async () => {
    await model.generate({ inputs: ids([3, 4]), max_new_tokens: 2 });
    await model({ input_ids: ids([3, 4]), attention_mask: ids([1, 1]) });
    const wanted = listener.runs.map(({ num_logits_to_keep }) => numbers(num_logits_to_keep));
    expect(wanted).toEqual([[1], [1], [0]]);
  });

  it('goes on from the very tensor that the step before has given: src/caches.ts', async () => {
    await model.generate({ inputs: ids([3, 4]), max_new_tokens: 3 });
    const given = listener.runs.slice(1).map((feeds) => feeds['past_key_values.0.key']);
    given.forEach((tensor, i) => expect(tensor).toBe(listener.made[i]));
    expect(listener.runs.slice(1).map(({ input_ids }) => numbers(input_ids))).toEqual([[7], [7]]);
    expect(listener.runs[2].attention_mask.dims).toEqual([1, 4]);
  });

  it('disposes of each tensor on the GPU once: src/caches.ts', async () => {
    await model.generate({ inputs: ids([3, 4]), max_new_tokens: 5 });
    expect(listener.made).toHaveLength(5);
    expect(listener.disposed).toEqual(listener.made);
  });

  it('leaves the last one to a caller who keeps the cache, and reads its length: src/kept-cache.ts', async () => {
    const past_key_values = new DynamicCache();
    await model.generate({ inputs: ids([3, 4]), max_new_tokens: 3, past_key_values });
    expect(listener.disposed).toHaveLength(2);
    expect(past_key_values.get_seq_length()).toBe(4);
    const attention_mask = ids([1, 1, 1, 1, 1, 1]);
    const inputs = ids([3, 4, 7, 7, 7, 9]);
    await model.generate({ inputs, attention_mask, max_new_tokens: 1, past_key_values });
    expect(numbers(listener.runs[3].input_ids)).toEqual([7, 9]);
    expect(listener.runs[3]['past_key_values.0.key']).toBe(listener.made[2]);
    await past_key_values.dispose();
    expect(listener.disposed).toEqual(listener.made);
  });

  it('throws what the look at a result throws: src/stand-in.ts', async () => {
    const failure = new Error('the reason');
    listener.run = () =>
      Promise.resolve(
        Object.defineProperty({}, 'failure', {
          enumerable: true,
          get: () => {
            throw failure;
          },
        }),
      );
    const call = model.generate({ inputs: ids([3, 4]), max_new_tokens: 1 });
    await expect(call).rejects.toBe(failure);
  });

  it('releases a session when the model is disposed of: src/handle.ts', async () => {
    await model.dispose();
    expect(listener.released).toBe(1);
  });
});
