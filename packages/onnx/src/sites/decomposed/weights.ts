import type { NodeProto } from 'onnx-buf';

import type { OnnxGraph } from '../../graph.js';
import { BEGINNINGS } from '../behind.js';
import { Facts } from '../facts/facts.js';
import { refuse } from '../refused.js';
import { isProduct } from './product.js';

/** They leave attention weights as they are; a rule for rows of NaN is nothing that ours needs. */
const TRANSPARENT = ['Cast', 'Identity', 'Dropout'];

/** The product of attention weights and values, and what happens to the weights before. */
export interface WeightedSum {
  readonly product: NodeProto;
  /** The last weight of each query is cut off: it belongs to a sink. */
  readonly cutsLast: boolean;
}

/**
 * The weighted sum that follows a softmax; undefined where none does.
 *
 * @throws {Refused} where the weights are read by others as well, or changed before they meet values
 */
export function weightedSum(graph: OnnxGraph, softmax: NodeProto): WeightedSum | undefined {
  let [name] = softmax.output;
  let cutsLast = false;
  for (;;) {
    const readers = graph.consumers(name);
    const product = readers.find((node) => node.opType === 'MatMul' && node.input[0] === name);
    const cut = readers.find((node) => !cutsLast && isCutOfLast(graph, node));
    const next = product ?? cut ?? readers.find((node) => leaves(graph, node, name));
    if (!next) return assertNoValuesAhead(graph, softmax, readers);
    const others = readers.filter((node) => node !== next && node.opType !== 'IsNaN');
    if (others.length > 0 || graph.output(name))
      refuse(
        softmax,
        `attention weights ${name} that others read`,
        'weights that meet the values alone',
      );
    if (product) return { product, cutsLast };
    cutsLast ||= next === cut;
    name = next.output[0];
  }
}

/** `weights[..., :-1]` */
function isCutOfLast(graph: OnnxGraph, { opType, input }: NodeProto): boolean {
  if (opType !== 'Slice') return false;
  const facts = Facts.of(graph);
  const [start, end, axis, step = 1] = input.slice(1).map((name) => facts.scalar(name));
  return start === 0 && end === -1 && (axis === -1 || axis === 3) && step === 1;
}

/** Behind other steps the weights may still meet values: then this is attention, and not understood. */
function assertNoValuesAhead(
  graph: OnnxGraph,
  softmax: NodeProto,
  readers: readonly NodeProto[],
): undefined {
  for (const node of readers) {
    if (leadsToValues(graph, node))
      refuse(
        softmax,
        `${node.opType} '${node.name}' between the softmax and the values`,
        'attention weights [batch, heads, tokens, keys] that meet the values as they are',
      );
  }
}

function leadsToValues(graph: OnnxGraph, node: NodeProto): boolean {
  const seen = new Set<NodeProto>();
  const open = [node];
  for (let one = open.pop(); one; one = open.pop()) {
    if (isProduct(graph, one)) return true;
    if (seen.has(one) || BEGINNINGS.test(one.opType)) continue;
    seen.add(one);
    open.push(...one.output.flatMap((name) => graph.consumers(name)));
  }
  return false;
}

function leaves(graph: OnnxGraph, { opType, input }: NodeProto, name: string): boolean {
  if (opType === 'Where') {
    const test = graph.producer(input[0]);
    return test?.opType === 'IsNaN' && test.input[0] === name && input[2] === name;
  }
  return TRANSPARENT.includes(opType);
}
