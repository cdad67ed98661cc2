import type { Mask, Match, Matcher, Operand, ProjectionBias, Projections } from '../site.js';
import { cacheNames } from './cache-names.js';
import { MICROSOFT, type Operator, operatorMatcher } from './operator.js';
import type { Stored } from './stored.js';

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
  const { inputs, key, value } = inputsOf(operator);
  const headDim = headDimOf(operator, inputs, heads);
  const valueDim = (value && valueDimOf(operator, value.operand, heads)) ?? headDim;
  const cache = cacheNames(operator, key, value);
  const causal = attributes.int('unidirectional', 0) === 1;
  if (causal && key?.past)
    operator.refuse('unidirectional 1 with a past that Concat joins', 'a mask');
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
    causal,
    masks: masksOf(operator),
    cache,
    output: { name: node.output[0], layout: 'btc' },
    dtype: operator.dtype('query'),
  };
}

interface Inputs {
  readonly inputs: Projections;
  /** Where they are not packed. */
  readonly key?: Stored;
  readonly value?: Stored;
}

function inputsOf(operator: Operator): Inputs {
  if (!operator.input('key'))
    return { inputs: { kind: 'interleaved', name: ofRank(operator, 'query', 5) } };
  const query: Operand = { name: ofRank(operator, 'query', 3), layout: 'btc' };
  if (!operator.input('value')) {
    const name = ofRank(operator, 'key', 5);
    return { inputs: { kind: 'interleavedKeyValue', query, name } };
  }
  const [key, value] = ['key', 'value'].map((name) =>
    operator.stored(name, layoutOf(operator, name)),
  );
  return {
    inputs: { kind: 'separate', query, key: key.operand, value: value.operand },
    key,
    value,
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

function valueDimOf(
  { facts }: Operator,
  { name, layout }: Operand,
  heads: number,
): number | undefined {
  const width = facts.size(name, -1);
  return layout === 'btc' && width ? width / heads : width;
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
