import type { NodeProto } from 'onnx-buf';

import { Attributes } from '../../attributes.js';
import type { OnnxGraph } from '../../graph.js';
import type { Operand } from '../../site.js';
import { Facts } from '../facts/facts.js';
import { refuse } from '../refused.js';
import { unscaled } from './factor.js';

/** `factor * query · key` */
export interface Product {
  readonly query: Operand;
  readonly key: Operand;
  readonly factor: number;
}

/** Whether a node multiplies two computed values, as queries and keys are; a projection multiplies with a weight. */
export function isProduct(graph: OnnxGraph, { opType, input: [a, b] }: NodeProto): boolean {
  const multiplies = opType === 'MatMul' || opType === 'FusedMatMul';
  return multiplies && !graph.initializer(a) && !graph.initializer(b);
}

export function productOf(graph: OnnxGraph, softmax: NodeProto, node: NodeProto): Product {
  const [left, right] = node.input.map((name) => unscaled(graph, name));
  const fused = fusedOf(softmax, node);
  const keys: Operand =
    fused.transposed === 1
      ? { name: right.name, layout: 'bhtd' }
      : (beforeTranspose(graph, right.name) ??
        refuse(
          softmax,
          `keys of ${node.opType} '${node.name}' that are not transposed just before it`,
          `Transpose with perm ${Object.keys(ORDERS).join(' or ')}`,
        ));
  const key = unscaled(graph, keys.name);
  return {
    query: { name: left.name, layout: 'bhtd' },
    key: { name: key.name, layout: keys.layout },
    factor: left.factor * right.factor * key.factor * fused.alpha,
  };
}

/** What onnxruntime's optimiser has drawn into the product. */
function fusedOf(softmax: NodeProto, node: NodeProto): { alpha: number; transposed: number } {
  const attributes = new Attributes(node);
  const other = ['transA', 'transBatchA', 'transBatchB'].find(
    (name) => attributes.int(name, 0) !== 0,
  );
  if (other) refuse(softmax, `attribute ${other} of ${node.opType} '${node.name}'`, `${other} 0`);
  return { alpha: attributes.float('alpha', 1), transposed: attributes.int('transB', 0) };
}

/** How keys come to be `[B, heads, D, tokens]`. */
const ORDERS: Readonly<Record<string, Operand['layout']>> = {
  '0,1,3,2': 'bhtd',
  '0,2,3,1': 'bthd',
};

function beforeTranspose(graph: OnnxGraph, name: string): Operand | undefined {
  const node = graph.producer(name);
  if (node?.opType === 'Reshape') return beforeFlatTranspose(graph, node);
  if (node?.opType !== 'Transpose') return undefined;
  const layout = ORDERS[new Attributes(node).ints('perm', []).join()];
  return layout && { name: node.input[0], layout };
}

/** PyTorch's newer exporter joins batch and heads for it, `[B * heads, tokens, D]`, and takes them apart again. */
function beforeFlatTranspose(graph: OnnxGraph, apart: NodeProto): Operand | undefined {
  const transpose = graph.producer(apart.input[0]);
  const flat = transpose?.opType === 'Transpose' && graph.producer(transpose.input[0]);
  if (!flat || flat.opType !== 'Reshape') return undefined;
  if (new Attributes(transpose).ints('perm', []).join() !== '0,2,1') return undefined;
  const [name] = flat.input;
  const facts = Facts.of(graph);
  const [, heads, , width] = facts.dims(name) ?? [];
  const [, sameHeads, sameWidth] = facts.dims(apart.output[0]) ?? [];
  return heads === sameHeads && width === sameWidth ? { name, layout: 'bhtd' } : undefined;
}
