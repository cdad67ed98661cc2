import type { NodeProto } from 'onnx-buf';

import { unsupported } from '../errors.js';
import type { OnnxFile } from './file.js';
import { Attributes } from './node.js';

/** Inputs of `GroupQueryAttention` beyond the usual ones. */
const INPUT = { positions: 9, bias: 10, headSink: 11, queryNorm: 14, keyNorm: 15 };

/** A node as the checks below see it. */
interface Inspected {
  attributes: Attributes;
  has: (input: number) => boolean;
}

/** Throws for a node whose queries, keys and values cannot be had from its inputs and outputs. */
export function refuse(file: OnnxFile, node: NodeProto): void {
  const { attributes, has } = inspect(node);
  const reasons: [description: string, given: boolean][] = [
    ['causal 0', attributes.int('causal', 1) === 0],
    ['sliding_window_cache 1', attributes.int('sliding_window_cache', 0) === 1],
    ['k_quant_type', attributes.string('k_quant_type', 'NONE') !== 'NONE'],
    ['v_quant_type', attributes.string('v_quant_type', 'NONE') !== 'NONE'],
    ['q_norm_weight, norms inside the node', has(INPUT.queryNorm) || has(INPUT.keyNorm)],
    ['position_ids computed in the graph', has(INPUT.positions) && !positionsAreGiven(file, node)],
    ['no present_key and present_value outputs', !node.output[1] || !node.output[2]],
  ];
  const [first] = named(reasons);
  if (!first) return;
  throw unsupported(`${file.path}: node '${node.name}' has ${first}, which capture cannot follow`);
}

/** What a node does to its scores that a plain causal softmax does not; captured data leave it out. */
export function deviations(node: NodeProto): string[] {
  const { attributes, has } = inspect(node);
  const window = attributes.int('local_window_size', -1);
  const softcap = attributes.float('softcap', 0);
  return named([
    [`local_window_size ${window}`, window > 0],
    [`softcap ${softcap}`, softcap > 0],
    ['smooth_softmax', attributes.int('smooth_softmax', -1) === 1],
    ['attention_bias', has(INPUT.bias)],
    ['head_sink', has(INPUT.headSink)],
  ]);
}

function inspect(node: NodeProto): Inspected {
  return {
    attributes: new Attributes(node),
    has: (input) => (node.input[input] ?? '') !== '',
  };
}

/** We fill a graph input of that kind with 0, 1, 2, …, as the node itself counts without it. */
function positionsAreGiven(file: OnnxFile, node: NodeProto): boolean {
  return file.graph.input.some(({ name }) => name === node.input[INPUT.positions]);
}

function named(list: [description: string, given: boolean][]): string[] {
  return list.filter(([, given]) => given).map(([description]) => description);
}
