import type { NodeProto } from 'onnx-buf';

import type { OnnxGraph } from '../../graph.js';
import { refuse } from '../refused.js';

/** They leave attention weights as they are; a rule for rows of NaN is nothing that ours needs. */
const TRANSPARENT = ['Cast', 'Identity', 'Dropout'];

/**
 * The product of attention weights and values that follows a softmax; undefined where none does.
 *
 * @throws {Refused} where the weights are read by others as well
 */
export function weightedSum(graph: OnnxGraph, softmax: NodeProto): NodeProto | undefined {
  let [name] = softmax.output;
  for (;;) {
    const readers = graph.consumers(name);
    const sum = readers.find((node) => node.opType === 'MatMul' && node.input[0] === name);
    const next = sum ?? readers.find((node) => leaves(graph, node, name));
    if (!next) return undefined;
    const others = readers.filter((node) => node !== next && !(node.opType === 'IsNaN'));
    if (others.length > 0 || graph.output(name))
      refuse(
        softmax,
        `attention weights ${name} that others read`,
        'weights that meet the values alone',
      );
    if (sum) return sum;
    name = next.output[0];
  }
}

function leaves(graph: OnnxGraph, { opType, input }: NodeProto, name: string): boolean {
  if (opType === 'Where') {
    const test = graph.producer(input[0]);
    return test?.opType === 'IsNaN' && test.input[0] === name && input[2] === name;
  }
  return TRANSPARENT.includes(opType);
}
