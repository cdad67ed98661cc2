import { inputError, type InputError } from '@jit-attention/core';
import type { NodeProto } from 'onnx-buf';

import type { OnnxGraph } from './graph.js';
import { subgraphs } from './graph/subgraphs.js';
import { type AttentionSite, isRefusal, type Match, type Refusal } from './site.js';
import { matchers } from './sites/index.js';

const OLDEST_OPSET = 11;

/** An attention of a graph, taken over or not. */
export type Found = AttentionSite | (Refusal & { readonly layer: number });

/**
 * All attentions of a graph, in the order of their layers.
 *
 * @throws {InputError} `UNSUPPORTED` for a graph without attention, and for attention inside `If` or `Loop`
 */
export function findSites(graph: OnnxGraph): Found[] {
  assertOpset(graph);
  const found = graph.nodes.flatMap((node) => match(graph, node));
  const hidden = graph.nodes.find((node) => subgraphs(node).some(hasAttention));
  if (hidden) {
    throw unsupported(graph, hidden, 'attention inside it', 'attention in the graph itself');
  }
  if (found.length === 0) {
    throw inputError(graph.file, 'a graph with attention', 'one without', {
      code: 'UNSUPPORTED',
      hint: 'known are GroupQueryAttention, MultiHeadAttention, ai.onnx Attention, and MatMul, Softmax, MatMul',
    });
  }
  const numbers = numbersOf(found);
  return found
    .map((one, i): Found => ({ ...one, layer: numbers[i] }))
    .sort((a, b) => a.layer - b.layer);
}

/** @throws {InputError} `UNSUPPORTED`, with node, attribute and file */
export function assertTaken(graph: OnnxGraph, found: Found): AttentionSite {
  if (!('supported' in found)) return found;
  throw unsupported(graph, found.node, found.found, found.supported, found.layer);
}

/** Older graphs have other words for reshaping and slicing than those written here. */
function assertOpset(graph: OnnxGraph): void {
  const opset = graph.opset('') ?? 0;
  if (opset >= OLDEST_OPSET) return;
  throw inputError(graph.file, `operator set ai.onnx ${OLDEST_OPSET} or newer`, opset, {
    code: 'UNSUPPORTED',
    hint: 'export the model anew, or convert it with onnx.version_converter',
  });
}

function match(graph: OnnxGraph, node: NodeProto): (Match | Refusal)[] {
  for (const matcher of matchers) {
    const found = matcher(graph, node);
    if (found) return [found];
  }
  return [];
}

function hasAttention({ node }: { readonly node: readonly NodeProto[] }): boolean {
  return node.some(
    (one) => /Attention$|^Softmax$/.test(one.opType) || subgraphs(one).some(hasAttention),
  );
}

/** By the number in the names of the caches (`present.3.key`), for nodes need not be in order; else their order. */
function numbersOf(found: readonly (Match | Refusal)[]): number[] {
  const numbers = found.map((one) => {
    const digits = isRefusal(one) ? undefined : /\d+/.exec(one.cache?.presentKey ?? '');
    return digits ? Number(digits[0]) : NaN;
  });
  const order = [...numbers].sort((a, b) => a - b);
  const isComplete = order.every((number, i) => number === i);
  return isComplete ? numbers : found.map((_, i) => i);
}

function unsupported(
  graph: OnnxGraph,
  { name, opType }: NodeProto,
  found: string,
  supported: string,
  layer?: number,
): InputError {
  const hint =
    layer === undefined
      ? 'export the model anew, without a choice between two decoders'
      : `or leave the layer to ONNX Runtime: leave: [${layer}]`;
  return inputError(`${graph.file}: ${opType} '${name}'`, supported, found, {
    code: 'UNSUPPORTED',
    hint,
  });
}
