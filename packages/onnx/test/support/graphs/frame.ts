import { GraphBuilder, type NodeOptions } from '@jit-attention/onnx-writer';

import { type Storage, Weights } from './weights.js';

export const MICROSOFT = 'com.microsoft';

/** Sizes of a small model; they do not have to be those of any real one. */
export interface Sizes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly layers: number;
  readonly seed: number;
}

export const SIZES: Sizes = { heads: 4, kvHeads: 2, headDim: 16, layers: 2, seed: 1 };

export const VOCABULARY = 23;
/** Rows of rotary tables. */
export const POSITIONS = 64;

/** A model as it would lie in a directory. */
export interface SmallModel {
  readonly model: Uint8Array;
  readonly externalData: Record<string, Uint8Array>;
  readonly sizes: Sizes;
  readonly storage: Storage;
  /** Of activations and caches. */
  readonly type: 'f32' | 'f16';
}

export interface FrameOptions {
  /** ai.onnx. Default 17. */
  readonly opset?: number;
  readonly storage?: Storage;
  /** Declares `position_ids`. */
  readonly positions?: boolean;
  /** Declares past and present keys and values. */
  readonly cache?: boolean;
}

/** Past and present of one layer: `[B, G, N, D]`. */
export interface LayerCache {
  readonly past: [key: string, value: string];
  readonly present: [key: string, value: string];
}

/** What an attention is written into: a graph, its weights, and the inputs that all small models have. */
export class Frame {
  readonly graph: GraphBuilder = new GraphBuilder();
  readonly weights: Weights;
  readonly sizes: Sizes;
  readonly options: FrameOptions;
  #nodes = 0;

  constructor(sizes: Sizes, options: FrameOptions) {
    this.sizes = sizes;
    this.options = options;
    this.weights = new Weights(this.graph, sizes.seed, options.storage ?? 'f32');
  }

  get hidden(): number {
    return this.sizes.heads * this.sizes.headDim;
  }

  get kvHidden(): number {
    return this.sizes.kvHeads * this.sizes.headDim;
  }

  get opset(): number {
    return this.options.opset ?? 17;
  }

  /** A node whose name does not matter; the name of its first output. */
  op(opType: string, inputs: string[], options: NodeOptions = {}): string {
    return this.graph.node(opType, `/ops.${this.#nodes++}`, inputs, options);
  }

  ints(...values: number[]): string {
    return this.graph.constant(
      `/ints.${this.#nodes++}`,
      [values.length],
      BigInt64Array.from(values, BigInt),
    );
  }

  int(value: number): string {
    return this.graph.constant(`/int.${this.#nodes++}`, [], BigInt64Array.of(BigInt(value)));
  }

  /** A scalar of the activations' type. */
  float(value: number): string {
    return this.weights.floats(`/float.${this.#nodes++}`, [], Float32Array.of(value));
  }

  reshape(x: string, ...shape: number[]): string {
    return this.op('Reshape', [x, this.ints(...shape)]);
  }

  transpose(x: string, ...perm: number[]): string {
    return this.op('Transpose', [x], { attributes: { perm } });
  }

  /** `[B, T, heads * D]` to `[B, heads, T, D]`. */
  split(x: string, heads: number): string {
    return this.transpose(this.reshape(x, 0, 0, heads, this.sizes.headDim), 0, 2, 1, 3);
  }

  /** `[B, heads, T, D]` to `[B, T, heads * D]`. */
  join(x: string): string {
    return this.reshape(this.transpose(x, 0, 2, 1, 3), 0, 0, -1);
  }

  /** One size of a value, a list of one. */
  size(x: string, axis: number): string {
    return this.op('Gather', [this.op('Shape', [x]), this.ints(axis)]);
  }

  cache(layer: number, suffix = ''): LayerCache {
    const { kvHeads, headDim } = this.sizes;
    const { type } = this.weights;
    const names = ['key', 'value'].map((kind) => `${layer}${suffix}.${kind}`);
    const [past, present] = ['past_sequence_length', 'total_sequence_length'].map((tokens) => [
      'batch_size',
      kvHeads,
      tokens,
      headDim,
    ]);
    return {
      past: names.map((n) => this.graph.input(`past_key_values.${n}`, type, past)),
      present: names.map((n) => this.graph.output(`present.${n}`, type, present)),
    } as LayerCache;
  }
}

/** Queries, keys and values, `[B, T, heads * D]`; keys and values of `kvHeads`. */
export function projections(
  { weights, hidden, kvHidden }: Frame,
  path: string,
  x: string,
): { query: string; key: string; value: string } {
  return {
    query: weights.linear(`${path}/q`, x, hidden, hidden),
    key: weights.linear(`${path}/k`, x, hidden, kvHidden),
    value: weights.linear(`${path}/v`, x, hidden, kvHidden),
  };
}

/** Writes what happens in place of the attention of one layer: `x [B, T, hidden]` to `[B, T, hidden]`. */
export type WriteAttention = (frame: Frame, layer: number, x: string) => string;

/**
 * Embedding, layers of attention and a projection with a residual each, logits:
 *
 *     input_ids       i64 [batch_size, sequence_length]
 *     attention_mask  i64 [batch_size, total_sequence_length]
 *     position_ids    i64 [batch_size, sequence_length], if wanted
 *     logits              [batch_size, sequence_length, VOCABULARY]
 */
export function smallModel(
  sizes: Sizes,
  options: FrameOptions,
  attention: WriteAttention,
): SmallModel {
  const frame = new Frame(sizes, options);
  const { graph, weights, hidden } = frame;
  const tokens = ['batch_size', 'sequence_length'];
  graph.input('input_ids', 'i64', tokens);
  graph.input('attention_mask', 'i64', ['batch_size', 'total_sequence_length']);
  if (options.positions) graph.input('position_ids', 'i64', tokens);
  graph.output('logits', weights.type, [...tokens, VOCABULARY]);

  let x = frame.op('Gather', [weights.tensor('embedding', [VOCABULARY, hidden]), 'input_ids']);
  for (let layer = 0; layer < sizes.layers; layer++) {
    const attended = attention(frame, layer, x);
    x = frame.op('Add', [x, weights.linear(`/layers.${layer}/o_proj`, attended, hidden, hidden)]);
  }
  const head = weights.tensor('lm_head', [hidden, VOCABULARY], 0.5);
  graph.node('MatMul', '/lm_head', [x, head], { outputs: ['logits'] });
  const model = graph.encode({
    name: 'small-model',
    producer: 'test',
    operatorSets: { '': frame.opset, [MICROSOFT]: 1 },
  });
  const { files: externalData, storage, type } = weights;
  return { model, externalData, sizes, storage, type };
}
