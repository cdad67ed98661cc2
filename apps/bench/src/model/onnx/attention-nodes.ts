import type { GraphProto, NodeProto } from 'onnx-buf';

import { unsupported } from '../errors.js';
import type { OnnxFile } from './file.js';
import { Attributes } from './node.js';
import { deviations, refuse } from './support.js';

/** A `GroupQueryAttention` node in the words of this benchmark; the rest are names of values. */
export interface AttentionNode {
  name: string;
  layer: number;
  heads: number;
  kvHeads: number;
  /** `undefined`: one over the root of the head size. */
  scale: number | undefined;
  /** `[batch, tokens, heads * headDim]`; with `packed`, the keys and values follow in each row. */
  query: string;
  packed: boolean;
  /** Absent if the rotation is done outside the node, or there is none. */
  rotary?: Rotary;
  pastKey: string;
  pastValue: string;
  /** `[batch, kvHeads, tokens, headDim]`, rotated. */
  presentKey: string;
  presentValue: string;
  /** What the node does besides a causal softmax, such as `softcap 50`. */
  deviations: string[];
}

export interface Rotary {
  /** `[positions, pairs]`; a constant, or computed in the graph. */
  cos: string;
  sin: string;
  /** Pairs are neighbours, rather than halves apart. */
  interleaved: boolean;
}

/** Positions in the node's lists, as the operator defines them. */
const INPUT = { query: 0, key: 1, pastKey: 3, pastValue: 4, cos: 7, sin: 8 };
const OUTPUT = { presentKey: 1, presentValue: 2 };

/** The attention nodes of a decoder, by layer. */
export function findAttention(file: OnnxFile): AttentionNode[] {
  const nodes = file.graph.node.filter(isAttention);
  if (nodes.length === 0) throw noAttention(file);
  const numbers = layerNumbers(nodes);
  return nodes.map((node, i) => describe(file, node, numbers[i])).sort((a, b) => a.layer - b.layer);
}

function isAttention(node: NodeProto): boolean {
  return node.opType === 'GroupQueryAttention' && node.domain === 'com.microsoft';
}

function describe(file: OnnxFile, node: NodeProto, layer: number): AttentionNode {
  refuse(file, node);
  const attributes = new Attributes(node);
  const input = (index: number) => node.input[index] ?? '';
  const packed = input(INPUT.key) === '';
  const scale = attributes.float('scale', 0);
  const description: AttentionNode = {
    name: node.name,
    layer,
    heads: attributes.int('num_heads', 0),
    kvHeads: attributes.int('kv_num_heads', 0),
    scale: scale === 0 ? undefined : scale,
    query: input(INPUT.query),
    packed,
    pastKey: input(INPUT.pastKey),
    pastValue: input(INPUT.pastValue),
    presentKey: node.output[OUTPUT.presentKey] ?? '',
    presentValue: node.output[OUTPUT.presentValue] ?? '',
    deviations: deviations(node),
  };
  if (attributes.int('do_rotary', 0) === 1) {
    const interleaved = attributes.int('rotary_interleaved', 0) === 1;
    description.rotary = { cos: input(INPUT.cos), sin: input(INPUT.sin), interleaved };
  }
  return description;
}

/** From the names of the caches (`present.3.key`), for nodes need not be in order; else their order. */
function layerNumbers(nodes: NodeProto[]): number[] {
  const numbers = nodes.map((node) => {
    const match = /(\d+)[._/]key/.exec(node.output[OUTPUT.presentKey] ?? '');
    return match ? Number(match[1]) : NaN;
  });
  const distinct = new Set(numbers).size === nodes.length && !numbers.some(Number.isNaN);
  return distinct ? numbers : nodes.map((_, i) => i);
}

function noAttention({ path, graph }: OnnxFile): Error {
  const other = relatedNode(graph);
  const found = other ? ` (it has ${other.opType} '${other.name}')` : '';
  return unsupported(
    `${path}: no com.microsoft GroupQueryAttention node${found}; attention in other operators cannot be captured`,
    'export the model with the builder of onnxruntime-genai, which writes that operator',
  );
}

/** Other attention operators, and the softmax of attention written out in small steps. */
function relatedNode(graph: GraphProto): NodeProto | undefined {
  for (const pattern of [/Attention$/, /^Softmax$/]) {
    const node = graph.node.find(({ opType }) => pattern.test(opType));
    if (node) return node;
  }
  return undefined;
}
