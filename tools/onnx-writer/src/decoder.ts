import type { LlamaConfig } from './config.js';
import { GraphBuilder } from './graph-builder.js';
import { rotaryTables } from './rotary.js';

/** `GroupQueryAttention` is onnxruntime's own operator, not one of the ONNX standard. */
const MICROSOFT = 'com.microsoft';

/** How a checkpoint's weights get into a graph. Each method returns the name of an f32 value. */
export interface DecoderWeights {
  /** Adds a tensor, under its Hugging Face name. */
  readonly add: (graph: GraphBuilder, name: string) => string;
  /**
   * Adds a projection as ONNX's MatMul takes it: `[in, out]`, where a checkpoint has `[out, in]`.
   * `from` is the tensor that holds it, which is another one where weights are tied.
   */
  readonly addTransposed: (graph: GraphBuilder, name: string, from: string) => string;
}

export interface DecoderOptions {
  /** The graph's name. */
  readonly name: string;
  /** Who made it. */
  readonly producer: string;
  /**
   * Declares `num_logits_to_keep`, i64, a scalar: how many logits to compute, counted from the last token;
   * 0 for all. Default `false`: always all.
   */
  readonly logitsToKeep?: boolean;
}

/**
 * A Llama as the graph that decoder exports have (onnxruntime-genai's model builder, optimum): one
 * `GroupQueryAttention` node a layer with the rotary embedding inside, past and present keys and values
 * as inputs and outputs, all in f32.
 *
 *     input_ids                     i64 [batch_size, sequence_length]
 *     attention_mask                i64 [batch_size, total_sequence_length]
 *     num_logits_to_keep            i64 []
 *     past_key_values.N.key/value   f32 [batch_size, kv heads, past_sequence_length, head dim]
 *     logits                        f32 [batch_size, sequence_length or those kept, vocabulary]
 *     present.N.key/value           f32 [batch_size, kv heads, total_sequence_length, head dim]
 *
 * The names, `batch_size` among them, are the ones transformers.js looks for.
 *
 * @returns the bytes of the ONNX file
 */
export function buildDecoder(
  config: LlamaConfig,
  weights: DecoderWeights,
  { name, producer, logitsToKeep = false }: DecoderOptions,
): Uint8Array {
  const graph = new GraphBuilder();
  graph.input('input_ids', 'i64', ['batch_size', 'sequence_length']);
  graph.input('attention_mask', 'i64', ['batch_size', 'total_sequence_length']);
  if (logitsToKeep) graph.input('num_logits_to_keep', 'i64', []);
  const rows = logitsToKeep ? 'num_logits' : 'sequence_length';
  graph.output('logits', 'f32', ['batch_size', rows, config.vocab_size]);

  const decoder = new Decoder(graph, config, weights);
  const embedding = 'model.embed_tokens.weight';
  const table = weights.add(graph, embedding);
  // tied, but MatMul wants it the other way round
  const from = config.tie_word_embeddings ? embedding : 'lm_head.weight';
  const head = weights.addTransposed(graph, 'lm_head.weight', from);

  let x = graph.node('Gather', '/model/embed_tokens', [table, 'input_ids']);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) x = decoder.layer(layer, x);
  if (logitsToKeep) x = lastRows(graph, x, 'num_logits_to_keep');
  x = decoder.norm('/model/norm', x, 'model.norm.weight');
  graph.node('MatMul', '/lm_head', [x, head], { outputs: ['logits'] });
  return graph.encode({ name, producer, operatorSets: { '': 17, [MICROSOFT]: 1 } });
}

/** Writes one layer after another; what all layers share is made once. */
class Decoder {
  readonly #graph: GraphBuilder;
  readonly #config: LlamaConfig;
  readonly #weights: DecoderWeights;
  readonly #lengths: string[];
  readonly #rotary: string[];

  constructor(graph: GraphBuilder, config: LlamaConfig, weights: DecoderWeights) {
    this.#graph = graph;
    this.#config = config;
    this.#weights = weights;
    this.#lengths = sequenceLengths(graph);
    const { cos, sin } = rotaryTables(config);
    const shape = [config.max_position_embeddings, config.head_dim / 2];
    this.#rotary = [
      graph.constant('cos_cache', shape, cos),
      graph.constant('sin_cache', shape, sin),
    ];
  }

  layer(layer: number, x: string): string {
    const path = `/model/layers.${layer}`;
    const weight = `model.layers.${layer}`;
    const normed = this.norm(`${path}/input_layernorm`, x, `${weight}.input_layernorm.weight`);
    const attended = this.#attention(layer, `${path}/self_attn`, `${weight}.self_attn`, normed);
    const middle = this.#graph.node('Add', `${path}/residual_attn`, [x, attended]);
    const name = `${weight}.post_attention_layernorm.weight`;
    const forward = this.#feedForward(
      `${path}/mlp`,
      `${weight}.mlp`,
      this.norm(`${path}/post_attention_layernorm`, middle, name),
    );
    return this.#graph.node('Add', `${path}/residual_mlp`, [middle, forward]);
  }

  norm(path: string, x: string, name: string): string {
    const weight = this.#weights.add(this.#graph, name);
    const attributes = { axis: -1, epsilon: { float: this.#config.rms_norm_eps } };
    return this.#graph.node('SimplifiedLayerNormalization', path, [x, weight], { attributes });
  }

  #attention(layer: number, path: string, weight: string, x: string): string {
    const { num_attention_heads, num_key_value_heads, head_dim } = this.#config;
    const cache = (side: string, tokens: string) =>
      ['key', 'value'].map((kind) => ({
        name: `${side}.${layer}.${kind}`,
        dims: ['batch_size', num_key_value_heads, tokens, head_dim],
      }));
    const past = cache('past_key_values', 'past_sequence_length').map(({ name, dims }) =>
      this.#graph.input(name, 'f32', dims),
    );
    const present = cache('present', 'total_sequence_length').map(({ name, dims }) =>
      this.#graph.output(name, 'f32', dims),
    );
    const projected = ['q_proj', 'k_proj', 'v_proj'].map((name) =>
      this.#project(`${path}/${name}`, `${weight}.${name}`, x),
    );
    const attended = this.#graph.node(
      'GroupQueryAttention',
      path,
      [...projected, ...past, ...this.#lengths, ...this.#rotary],
      {
        attributes: {
          num_heads: num_attention_heads,
          kv_num_heads: num_key_value_heads,
          do_rotary: 1,
          rotary_interleaved: 0,
        },
        domain: MICROSOFT,
        outputs: [`${path}/output_0`, ...present],
      },
    );
    return this.#project(`${path}/o_proj`, `${weight}.o_proj`, attended);
  }

  /** SwiGLU: `down(silu(gate x) * up x)`. */
  #feedForward(path: string, weight: string, x: string): string {
    const graph = this.#graph;
    const gate = this.#project(`${path}/gate_proj`, `${weight}.gate_proj`, x);
    const up = this.#project(`${path}/up_proj`, `${weight}.up_proj`, x);
    const sigmoid = graph.node('Sigmoid', `${path}/act_fn`, [gate]);
    const silu = graph.node('Mul', `${path}/act_fn`, [gate, sigmoid]);
    const product = graph.node('Mul', path, [silu, up]);
    return this.#project(`${path}/down_proj`, `${weight}.down_proj`, product);
  }

  #project(path: string, weight: string, x: string): string {
    const name = `${weight}.weight`;
    const matrix = this.#weights.addTransposed(this.#graph, name, name);
    return this.#graph.node('MatMul', path, [x, matrix]);
  }
}

/** What the attention nodes want in place of a mask: `[seqlens_k, total_sequence_length]`, both i32. */
function sequenceLengths(graph: GraphBuilder): string[] {
  const path = '/model/attn_mask';
  const scalar = (name: string, shape: number[]) =>
    graph.constant(`${path}/${name}`, shape, new BigInt64Array([1n]));
  const toInt32 = { attributes: { to: 6 } };

  const sum = graph.node('ReduceSum', path, ['attention_mask', scalar('axis', [1])], {
    attributes: { keepdims: 0 },
  });
  const last = graph.node('Sub', path, [sum, scalar('one', [1])]);
  const shape = graph.node('Shape', path, ['attention_mask']);
  const total = graph.node('Gather', path, [shape, scalar('index', [])], {
    attributes: { axis: 0 },
  });
  return [
    graph.node('Cast', `${path}/seqlens_k`, [last], toInt32),
    graph.node('Cast', `${path}/total_sequence_length`, [total], toInt32),
  ];
}

/** The last `count` tokens; all for 0, because a slice that starts at -0 starts at the first. */
function lastRows(graph: GraphBuilder, x: string, count: string): string {
  const path = '/model/last_tokens';
  const one = (name: string, value: bigint) =>
    graph.constant(`${path}/${name}`, [1], new BigInt64Array([value]));
  const start = graph.node('Reshape', path, [graph.node('Neg', path, [count]), one('shape', 1n)]);
  return graph.node('Slice', path, [x, start, one('end', 2n ** 63n - 1n), one('axis', 1n)]);
}
