import type { NodeProto } from 'onnx-buf';

import { Attributes } from '../../attributes.js';
import type { OnnxGraph } from '../../graph.js';
import type { Match, Matcher, Operand } from '../../site.js';
import { dtypeOf } from '../dtype.js';
import { Facts } from '../facts/facts.js';
import { product } from '../facts/sizes.js';
import { isOperator } from '../operator.js';
import { orRefusal, refuse } from '../refused.js';
import { joinedCache, type Stored, storedOf } from '../stored.js';
import { hasProduct, type Logits, logitsOf } from './logits.js';
import { productOf } from './product.js';
import { type WeightedSum, weightedSum } from './weights.js';

/**
 * Attention in small operators, as optimum and PyTorch export it: `MatMul`, `Softmax`, `MatMul`, with scaling,
 * capping and masks before the softmax, the past joined and heads repeated before the products.
 */
export const softmaxAttention: Matcher = (graph, node) => {
  if (!isOperator(node, { opType: 'Softmax', domain: '' })) return undefined;
  return orRefusal(() => {
    if (!hasProduct(graph, node)) return undefined;
    const sum = weightedSum(graph, node);
    return sum && describe(graph, node, logitsOf(graph, node), sum);
  });
};

function describe(graph: OnnxGraph, node: NodeProto, logits: Logits, sum: WeightedSum): Match {
  assertLastAxis(graph, node);
  const { query, key, factor } = productOf(graph, node, logits.product);
  const stored = (operand: Operand): Stored => storedOf(graph, node, operand);
  const keys = stored(key);
  const values = stored({ name: sum.product.input[1], layout: 'bhtd' });
  const facts = Facts.of(graph);
  const size = (name: string, axis: number): number =>
    facts.size(name, axis) ??
    refuse(node, `${name} of a size ${axis} that cannot be told`, 'a declared shape');
  const [heads, kvHeads] = [
    size(query.name, 1),
    size(keys.operand.name, key.layout === 'bhtd' ? 1 : 2),
  ];
  if (heads % kvHeads !== 0) refuse(node, `${heads} heads on ${kvHeads}`, 'a multiple');
  assertSinks(graph, node, { ...logits, ...sum, heads });
  return {
    node,
    kind: node.opType,
    heads,
    kvHeads,
    headDim: size(query.name, 3),
    valueDim: size(values.operand.name, 3),
    inputs: { kind: 'separate', query, key: keys.operand, value: values.operand },
    scale: factor * logits.factor,
    softcap: logits.softcap,
    sinkLogits: logits.sinkLogits,
    causal: false,
    masks: logits.masks,
    cache: joinedCache(node, keys, values),
    output: { name: sum.product.output[0], layout: 'bhtd' },
    dtype: dtypeOf(node, 'queries', facts.type(query.name)),
  };
}

/** Sinks, one a head, that join the softmax leave it again. */
function assertSinks(
  graph: OnnxGraph,
  node: NodeProto,
  { sinkLogits, cutsLast, heads }: Logits & WeightedSum & { readonly heads: number },
): void {
  const count = sinkLogits === undefined ? 0 : product(Facts.of(graph).dims(sinkLogits) ?? []);
  if (count === (cutsLast ? heads : 0)) return;
  refuse(
    node,
    cutsLast
      ? `a last weight cut off, and ${count} sinks`
      : `a sink ${sinkLogits} that meets values`,
    `${heads} sinks that Concat joins before the softmax and Slice cuts off behind it`,
  );
}

/** Before operator set 13 an axis meant it and all behind it. */
function assertLastAxis(graph: OnnxGraph, node: NodeProto): void {
  const byDefault = (graph.opset('') ?? 13) < 13 ? 1 : -1;
  const axis = new Attributes(node).int('axis', byDefault);
  if (axis !== -1 && axis !== 3) refuse(node, `attribute axis ${axis}`, 'axis -1');
}
