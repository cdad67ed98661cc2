import type { ModelProto } from 'onnx-buf';

import type { ModelConfig } from '../src/index.js';
import { GraphBuilder } from './graph-builder.js';
import { rotaryTables } from './rotary.js';
import { transpose, type Weights } from './weights.js';

/** `GroupQueryAttention` is onnxruntime's own operator, not one of the ONNX standard. */
const MICROSOFT = 'com.microsoft';

/**
 * The model as the graph that decoder exports have (onnxruntime-genai's model builder, optimum): one
 * `GroupQueryAttention` node a layer with the rotary embedding inside, past and present keys and values
 * as inputs and outputs, all in f32.
 *
 *     input_ids                     i64 [batch_size, sequence_length]
 *     attention_mask                i64 [batch_size, total_sequence_length]
 *     past_key_values.N.key/value   f32 [batch_size, kv heads, past_sequence_length, head dim]
 *     logits                        f32 [batch_size, sequence_length, vocabulary]
 *     present.N.key/value           f32 [batch_size, kv heads, total_sequence_length, head dim]
 *
 * The names, `batch_size` among them, are the ones transformers.js looks for.
 */
export function buildDecoder(config: ModelConfig, weights: Weights): ModelProto {
  const graph = new GraphBuilder();
  graph.input('input_ids', 'i64', ['batch_size', 'sequence_length']);
  graph.input('attention_mask', 'i64', ['batch_size', 'total_sequence_length']);
  graph.output('logits', 'f32', ['batch_size', 'sequence_length', config.vocab_size]);

  const decoder = new Decoder(graph, config, weights);
  const embeddings = weights.get('model.embed_tokens.weight');
  const table = graph.constant('model.embed_tokens.weight', embeddings.shape, embeddings.values);
  const head = transpose(embeddings); // tied, but MatMul wants it the other way round
  const headName = graph.constant('lm_head.weight', head.shape, head.values);

  let x = graph.node('Gather', '/model/embed_tokens', [table, 'input_ids']);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) x = decoder.layer(layer, x);
  x = decoder.norm('/model/norm', x, 'model.norm.weight');
  graph.node('MatMul', '/lm_head', [x, headName], { outputs: ['logits'] });
  return graph.model('reference-model', { '': 17, [MICROSOFT]: 1 });
}

/** Writes one layer after another; what all layers share is made once. */
class Decoder {
  readonly #graph: GraphBuilder;
  readonly #config: ModelConfig;
  readonly #weights: Weights;
  readonly #lengths: string[];
  readonly #rotary: string[];

  constructor(graph: GraphBuilder, config: ModelConfig, weights: Weights) {
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
    const { shape, values } = this.#weights.get(name);
    const weight = this.#graph.constant(name, shape, values);
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
    const { shape, values } = this.#weights.transposed(name);
    return this.#graph.node('MatMul', path, [x, this.#graph.constant(name, shape, values)]);
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
