import type {
  AttentionSite,
  HeadNorm,
  Mask,
  Match,
  Matcher,
  Operand,
  Projections,
  Rotary,
} from '../site.js';
import { cacheNames } from './cache-names.js';
import { MICROSOFT, type Operator, operatorMatcher } from './operator.js';

/**
 * `GroupQueryAttention`, what decoders of onnxruntime-genai and of transformers.js are made of. Causal unless told,
 * with a cache; rotation and norms may be inside.
 */
export const groupQueryAttention: Matcher = operatorMatcher(
  {
    opType: 'GroupQueryAttention',
    domain: MICROSOFT,
    attributes: [
      ...['num_heads', 'kv_num_heads', 'scale', 'softcap', 'smooth_softmax', 'causal'],
      ...['local_window_size', 'do_rotary', 'rotary_interleaved', 'qk_norm_epsilon', 'qk_output'],
      ...['sliding_window_cache', 'k_quant_type', 'v_quant_type', 'kv_cache_bit_width'],
    ],
    inputs: [
      ...['query', 'key', 'value', 'past_key', 'past_value', 'seqlens_k', 'total_sequence_length'],
      ...['cos_cache', 'sin_cache', 'position_ids', 'attention_bias', 'head_sink'],
      ...['k_scale', 'v_scale', 'q_norm_weight', 'k_norm_weight'],
    ],
    outputs: ['output', 'present_key', 'present_value', 'output_qk'],
  },
  describe,
);

function describe(operator: Operator): Match {
  refuseUnsupported(operator);
  const { node, attributes } = operator;
  const [heads, kvHeads] = [operator.count('num_heads'), operator.count('kv_num_heads')];
  if (heads % kvHeads !== 0)
    operator.refuse(`num_heads ${heads} on kv_num_heads ${kvHeads}`, 'a multiple');
  const headDim = headDimOf(operator, heads, kvHeads);
  return {
    node,
    kind: node.opType,
    heads,
    kvHeads,
    headDim,
    valueDim: headDim,
    inputs: projections(operator),
    norm: normOf(operator, headDim),
    rotary: rotaryOf(operator),
    scale: operator.positive('scale') ?? headDim ** -0.5,
    softcap: operator.positive('softcap'),
    ...sinksOf(operator, heads),
    causal: attributes.int('causal', 1) === 1,
    window: windowOf(operator),
    masks: masksOf(operator),
    cache: cacheNames(operator),
    output: { name: node.output[0], layout: 'btc' },
    dtype: operator.dtype('query'),
  };
}

function refuseUnsupported(operator: Operator): void {
  operator.only('qk_output', 0);
  operator.only('sliding_window_cache', 0);
  operator.only('k_quant_type', 'NONE');
  operator.only('v_quant_type', 'NONE');
  operator.only('kv_cache_bit_width', 0);
  operator.without('k_scale', 'v_scale', 'output_qk');
}

function projections(operator: Operator): Projections {
  const fresh = (name: string): Operand => operator.stored(name, 'btc').operand;
  if (!operator.input('key')) return { kind: 'packed', name: fresh('query').name };
  const query: Operand = { name: operator.required('query'), layout: 'btc' };
  return { kind: 'separate', query, key: fresh('key'), value: fresh('value') };
}

function headDimOf(operator: Operator, heads: number, kvHeads: number): number {
  const past = operator.input('past_key');
  const cached = past && operator.facts.size(past, -1);
  if (cached) return cached;
  const width = operator.facts.size(operator.required('query'), -1);
  const parts = operator.input('key') ? heads : heads + 2 * kvHeads;
  return width && width % parts === 0
    ? width / parts
    : operator.refuse(`${operator.called('query')} of width ${width}`, `a multiple of ${parts}`);
}

function rotaryOf(operator: Operator): Rotary | undefined {
  if (operator.attributes.int('do_rotary', 0) === 0) return undefined;
  const [cos, sin] = [operator.required('cos_cache'), operator.required('sin_cache')];
  const pairs =
    operator.facts.size(cos, -1) ??
    operator.refuse(`${operator.called('cos_cache')} of a width that cannot be told`, 'a table');
  return {
    cos,
    sin,
    interleaved: operator.attributes.int('rotary_interleaved', 0) === 1,
    channels: 2 * pairs,
    positions: operator.input('position_ids'),
  };
}

/** Needs the rotation, by the operator's definition. */
function normOf(operator: Operator, headDim: number): HeadNorm | undefined {
  if (!operator.input('q_norm_weight') && !operator.input('k_norm_weight')) return undefined;
  if (operator.attributes.int('do_rotary', 0) === 0)
    operator.refuse(`${operator.called('q_norm_weight')} with do_rotary 0`, 'do_rotary 1');
  return {
    query: operator.constant('q_norm_weight', [headDim]),
    key: operator.constant('k_norm_weight', [headDim]),
    epsilon: operator.attributes.float('qk_norm_epsilon', 1e-6),
  };
}

/** A sink a head is more than one for all: given both, the operator takes the former. */
function sinksOf(
  operator: Operator,
  heads: number,
): Pick<AttentionSite, 'sinkLogits' | 'smoothSoftmax'> {
  if (operator.input('head_sink')) return { sinkLogits: operator.constant('head_sink', [heads]) };
  return { smoothSoftmax: operator.attributes.int('smooth_softmax', 0) === 1 };
}

function windowOf(operator: Operator): number | undefined {
  const window = operator.attributes.int('local_window_size', -1);
  if (window <= 0) return undefined;
  if (operator.attributes.int('causal', 1) === 0)
    operator.refuse(`attribute local_window_size ${window} with causal 0`, 'causal 1');
  return window;
}

function masksOf(operator: Operator): Mask[] {
  const bias = operator.input('attention_bias');
  return [
    { kind: 'last', name: operator.required('seqlens_k') },
    ...(bias ? [{ kind: 'logits' as const, name: bias }] : []),
  ];
}
