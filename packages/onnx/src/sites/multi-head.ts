import type { Mask, Match, Matcher, Operand, ProjectionBias, Projections } from '../site.js';
import { cacheNames } from './cache-names.js';
import { MICROSOFT, type Operator, operatorMatcher } from './operator.js';

/** Hides as well as -Infinity does: `e^-1000` is 0 in f32. */
const HIDES = -1000;

/**
 * `MultiHeadAttention`, what onnxruntime's optimiser makes of encoders, and what onnxruntime-genai writes for models
 * whose heads share nothing.
 */
export const multiHeadAttention: Matcher = operatorMatcher(
  {
    opType: 'MultiHeadAttention',
    domain: MICROSOFT,
    attributes: ['num_heads', 'mask_filter_value', 'scale', 'unidirectional'],
    inputs: [
      ...['query', 'key', 'value', 'bias', 'key_padding_mask', 'attention_bias'],
      ...['past_key', 'past_value', 'past_sequence_length', 'cache_indirection'],
    ],
    outputs: ['output', 'present_key', 'present_value', 'qk'],
  },
  describe,
);

function describe(operator: Operator): Match {
  operator.without('past_sequence_length', 'cache_indirection', 'qk');
  const { node, attributes } = operator;
  const heads = operator.count('num_heads');
  const inputs = projections(operator);
  const headDim = headDimOf(operator, inputs, heads);
  const valueDim = valueDimOf(operator, inputs, heads) ?? headDim;
  return {
    node,
    kind: node.opType,
    heads,
    kvHeads: heads,
    headDim,
    valueDim,
    inputs,
    bias: biasOf(operator, heads * (2 * headDim + valueDim)),
    scale: operator.positive('scale') ?? headDim ** -0.5,
    causal: attributes.int('unidirectional', 0) === 1,
    masks: masksOf(operator),
    cache: cacheNames(operator),
    output: { name: node.output[0], layout: 'btc' },
    dtype: operator.dtype('query'),
  };
}

function projections(operator: Operator): Projections {
  const query = operator.required('query');
  const key = operator.input('key');
  if (!key) return { kind: 'interleaved', name: ofRank(operator, 'query', 5) };
  const queries: Operand = { name: ofRank(operator, 'query', 3), layout: 'btc' };
  if (!operator.input('value'))
    return { kind: 'interleavedKeyValue', query: queries, name: ofRank(operator, 'key', 5) };
  return {
    kind: 'separate',
    query: { name: query, layout: 'btc' },
    key: { name: key, layout: layoutOf(operator, 'key') },
    value: { name: operator.required('value'), layout: layoutOf(operator, 'value') },
  };
}

/** The operator tells what it is given by the rank. */
function layoutOf(operator: Operator, name: string): 'btc' | 'bhtd' {
  return operator.facts.dims(operator.required(name))?.length === 4 ? 'bhtd' : 'btc';
}

function ofRank(operator: Operator, name: string, rank: number): string {
  const value = operator.required(name);
  const found = operator.facts.dims(value)?.length ?? rank;
  return found === rank
    ? value
    : operator.refuse(`${operator.called(name)} of rank ${found}`, `rank ${rank}`);
}

function headDimOf(operator: Operator, inputs: Projections, heads: number): number {
  const width = operator.facts.size(operator.required('query'), -1);
  if (inputs.kind === 'interleaved' && width) return width;
  return width && width % heads === 0
    ? width / heads
    : operator.refuse(`${operator.called('query')} of width ${width}`, `a multiple of ${heads}`);
}

/** Undefined for what is packed: as wide as the keys. */
function valueDimOf(operator: Operator, inputs: Projections, heads: number): number | undefined {
  if (inputs.kind !== 'separate') return undefined;
  const width = operator.facts.size(inputs.value.name, -1);
  if (inputs.value.layout === 'bhtd' || !width) return width;
  return width / heads;
}

function biasOf(operator: Operator, size: number): ProjectionBias | undefined {
  return operator.input('bias') ? { name: operator.constant('bias', [size]) } : undefined;
}

function masksOf(operator: Operator): Mask[] {
  const [padding, bias] = [operator.input('key_padding_mask'), operator.input('attention_bias')];
  if (padding) refuseOtherPadding(operator, padding);
  return [
    ...(padding ? [{ kind: 'keys' as const, name: padding }] : []),
    ...(bias ? [{ kind: 'logits' as const, name: bias }] : []),
  ];
}

function refuseOtherPadding(operator: Operator, padding: string): void {
  const rank = operator.facts.dims(padding)?.length ?? 2;
  if (rank > 2)
    operator.refuse(`${operator.called('key_padding_mask')} of rank ${rank}`, 'rank 1 or 2');
  const filter = operator.attributes.float('mask_filter_value', -10_000);
  if (filter > HIDES) operator.refuse(`attribute mask_filter_value ${filter}`, `at most ${HIDES}`);
}
