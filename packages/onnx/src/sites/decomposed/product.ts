import type { NodeProto } from 'onnx-buf';

import { Attributes } from '../../attributes.js';
import type { OnnxGraph } from '../../graph.js';
import type { Operand } from '../../site.js';
import { refuse } from '../refused.js';
import { unscaled } from './factor.js';

/** `factor * query · key` */
export interface Product {
  readonly query: Operand;
  readonly key: Operand;
  readonly factor: number;
}

/** How keys come to be `[B, heads, D, tokens]`. */
const ORDERS: Readonly<Record<string, Operand['layout']>> = {
  '0,1,3,2': 'bhtd',
  '0,2,3,1': 'bthd',
};

/** Whether a node multiplies two computed values, as queries and keys are; a projection multiplies with a weight. */
export function isProduct(graph: OnnxGraph, { opType, input: [a, b] }: NodeProto): boolean {
  return opType === 'MatMul' && !graph.initializer(a) && !graph.initializer(b);
}

export function productOf(graph: OnnxGraph, softmax: NodeProto, node: NodeProto): Product {
  const [left, right] = node.input.map((name) => unscaled(graph, name));
  const transpose = graph.producer(right.name);
  const order = transpose && new Attributes(transpose).ints('perm', []).join();
  const layout = order === undefined ? undefined : ORDERS[order];
  if (transpose?.opType !== 'Transpose' || !layout)
    return refuse(
      softmax,
      `keys of MatMul '${node.name}' that are not transposed just before it`,
      `Transpose with perm ${Object.keys(ORDERS).join(' or ')}`,
    );
  const key = unscaled(graph, transpose.input[0]);
  return {
    query: { name: left.name, layout: 'bhtd' },
    key: { name: key.name, layout },
    factor: left.factor * right.factor * key.factor,
  };
}
