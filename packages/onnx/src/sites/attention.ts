import type { CacheNames, Mask, Match, Matcher, Operand } from '../site.js';
import { cacheNames } from './cache-names.js';
import { type Operator, operatorMatcher } from './operator.js';
import type { Stored } from './stored.js';

/** Types that a softmax may be computed in, by ONNX's numbers: as the inputs, FLOAT, FLOAT16, BFLOAT16. Ours is f32. */
const PRECISIONS = [0, 1, 10, 16];

/** `Attention` of the ONNX standard, since operator set 23: what PyTorch's exporter writes for its own attention. */
export const attention: Matcher = operatorMatcher(
  {
    opType: 'Attention',
    domain: '',
    attributes: [
      ...['is_causal', 'kv_num_heads', 'q_num_heads', 'scale', 'softcap', 'softmax_precision'],
      'qk_matmul_output_mode',
    ],
    inputs: ['Q', 'K', 'V', 'attn_mask', 'past_key', 'past_value', 'nonpad_kv_seqlen'],
    outputs: ['Y', 'present_key', 'present_value', 'qk_matmul_output'],
  },
  describe,
);

/** Keys and values as the node is given them, and where they come from. */
interface Inputs {
  readonly layout: 'btc' | 'bhtd';
  readonly query: string;
  readonly key: Stored;
  readonly value: Stored;
}

function describe(operator: Operator): Match {
  refuseUnsupported(operator);
  const { node, attributes } = operator;
  const inputs = inputsOf(operator);
  const heads = headsOf(operator, inputs, 'q_num_heads', inputs.query);
  const [key, value] = [inputs.key.operand, inputs.value.operand];
  const kvHeads = headsOf(operator, inputs, 'kv_num_heads', key.name);
  if (heads % kvHeads !== 0) operator.refuse(`${heads} heads on ${kvHeads}`, 'a multiple');
  const headDim = widthOf(operator, inputs, 'Q', inputs.query, heads);
  const operand = (name: string): Operand => ({ name, layout: inputs.layout });
  return {
    node,
    kind: node.opType,
    heads,
    kvHeads,
    headDim,
    valueDim: widthOf(operator, inputs, 'V', value.name, kvHeads),
    inputs: { kind: 'separate', query: operand(inputs.query), key, value },
    scale: operator.positive('scale') ?? headDim ** -0.5,
    softcap: operator.positive('softcap'),
    causal: attributes.int('is_causal', 0) === 1,
    masks: masksOf(operator),
    cache: cacheOf(operator, inputs),
    output: operand(node.output[0]),
    dtype: operator.dtype('Q'),
  };
}

function refuseUnsupported(operator: Operator): void {
  const { graph, attributes } = operator;
  const opset = graph.opset('') ?? 0;
  if (opset !== 23 && opset !== 24)
    operator.refuse(`operator set ${opset}`, 'operator set 23 or 24');
  operator.without('qk_matmul_output');
  const precision = attributes.int('softmax_precision', 0);
  if (!PRECISIONS.includes(precision))
    operator.refuse(`attribute softmax_precision ${precision}`, 'FLOAT (1) or less');
}

function inputsOf(operator: Operator): Inputs {
  const query = operator.required('Q');
  const layout = layoutOf(operator, query);
  const [key, value] = ['K', 'V'].map((name) => operator.stored(name, layout));
  return { layout, query, key, value };
}

/** The operator tells by the rank; where that is not known, by the attribute that rank 3 needs. */
function layoutOf({ facts, attributes }: Operator, query: string): 'btc' | 'bhtd' {
  const rank = facts.dims(query)?.length ?? (attributes.int('q_num_heads', 0) > 0 ? 3 : 4);
  return rank === 3 ? 'btc' : 'bhtd';
}

function headsOf(operator: Operator, { layout }: Inputs, attribute: string, name: string): number {
  if (layout === 'btc') return operator.count(attribute);
  return (
    operator.facts.size(name, 1) ??
    operator.refuse(`${name} of a number of heads that cannot be told`, 'a declared shape')
  );
}

function widthOf(
  operator: Operator,
  { layout }: Inputs,
  input: string,
  name: string,
  heads: number,
): number {
  const width = operator.facts.size(name, -1);
  const parts = layout === 'btc' ? heads : 1;
  return width && width % parts === 0
    ? width / parts
    : operator.refuse(`${operator.called(input)} of width ${width}`, `a multiple of ${parts}`);
}

function masksOf(operator: Operator): Mask[] {
  const [mask, lengths] = [operator.input('attn_mask'), operator.input('nonpad_kv_seqlen')];
  return [
    ...(mask ? [{ kind: 'logits' as const, name: mask }] : []),
    ...(lengths ? [{ kind: 'lengths' as const, name: lengths }] : []),
  ];
}

/** Where the graph joins the past by itself, the node's causal order would count from the first key. */
function cacheOf(operator: Operator, { key, value }: Inputs): CacheNames | undefined {
  if (key.past) operator.only('is_causal', 0);
  return cacheNames(operator, key, value);
}
