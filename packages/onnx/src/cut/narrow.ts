import type { NodeProto } from 'onnx-buf';

import { Attributes } from '../attributes.js';
import type { OnnxGraph } from '../graph.js';
import type { Piece } from './cut.js';
import type { KnownValues } from './model.js';
import { makeNode } from './nodes.js';
import type { Place } from './places.js';

/** Which tokens of a step the last piece is to compute, i64 `[rows]`. */
export const ROWS = 'jit-attention.rows';

/**
 * The last piece of a decoder turns hidden states into logits, token by token; in a prompt only a few are asked for.
 * Where every operator of the piece keeps tokens apart, its inputs are cut down to the rows of {@link ROWS} first,
 * and the attentions before it are asked for those alone.
 *
 * Undefined where that cannot be seen: then all rows are computed.
 *
 * @param before the places whose attentions the piece goes on from
 */
export function narrow(
  graph: OnnxGraph,
  piece: Piece,
  before: readonly Place[],
  known: KnownValues,
): Piece | undefined {
  const attended = before.map(({ output }) => output);
  const crossing = piece.inputs.filter((name) => !attended.includes(name) && known.has(name));
  const given = piece.inputs.filter((name) => graph.input(name));
  const size = sizeOfTokens(before, known);
  const isNarrow =
    size !== undefined &&
    crossing.every(
      (name) => known.get(name)!.shape?.length === 3 && known.get(name)!.shape![1] === size,
    ) &&
    given.every((name) => (graph.shape(name)?.length ?? 2) < 2);
  if (!isNarrow) return undefined;
  const rows = new Map(crossing.map((name) => [name, `${name}.rows`]));
  const nodes = piece.nodes.map((node) => renamed(node, rows));
  const apart = new Apart(graph, [...rows.values(), ...attended]);
  if (!nodes.every((node) => apart.follows(node))) return undefined;
  const gathers = [...rows].map(([name, output]) =>
    makeNode({
      ...{ opType: 'Gather', name: output, inputs: [name, ROWS], outputs: [output] },
      attributes: { axis: 1 },
    }),
  );
  return { ...piece, nodes: [...gathers, ...nodes], inputs: [...piece.inputs, ROWS] };
}

/** The name that ONNX Runtime has for the number of tokens of a step. */
function sizeOfTokens([place]: readonly Place[], known: KnownValues): string | undefined {
  const size = place && known.get(place.query)?.shape?.[place.layout === 'bthd' ? 1 : 2];
  return typeof size === 'string' && size !== '' ? size : undefined;
}

function renamed(node: NodeProto, names: ReadonlyMap<string, string>): NodeProto {
  if (!node.input.some((name) => names.has(name))) return node;
  return { ...node, input: node.input.map((name) => names.get(name) ?? name) };
}

/** Operators that treat elements, or whole last axes, one by one. */
const APART = new Set(
  [
    ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Sqrt', 'Reciprocal', 'Neg', 'Abs', 'Min', 'Max', 'Clip'],
    ['Sigmoid', 'Tanh', 'Erf', 'Relu', 'Gelu', 'FastGelu', 'QuickGelu', 'BiasGelu', 'Softplus'],
    ['MatMul', 'MatMulNBits', 'FusedMatMul', 'Gemm', 'Cast', 'Identity', 'DequantizeLinear'],
    ['LayerNormalization', 'SimplifiedLayerNormalization', 'RMSNormalization'],
    ['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'],
  ].flat(),
);

/** Follows what depends on tokens through a piece, node after node. */
class Apart {
  readonly #graph: OnnxGraph;
  readonly #tokens: Set<string>;

  constructor(graph: OnnxGraph, tokens: readonly string[]) {
    this.#graph = graph;
    this.#tokens = new Set(tokens);
  }

  /** False for a node that may mix tokens. */
  follows(node: NodeProto): boolean {
    if (!node.input.some((name) => this.#tokens.has(name))) return true;
    for (const name of node.output) this.#tokens.add(name);
    if (APART.has(node.opType)) return true;
    if (node.opType === 'Reshape' || node.opType === 'Transpose') return isOurs(node);
    if (node.opType === 'Slice') return this.#isLogitsToKeep(node);
    return node.opType === 'ReduceMean' && this.#alongTheLastAxis(node);
  }

  #alongTheLastAxis(node: NodeProto): boolean {
    const given = this.#graph.constant(node.input[1] ?? '') ?? [];
    const [axis, ...more] = new Attributes(node).ints('axes', given);
    return more.length === 0 && (axis === -1 || axis === 2);
  }

  /** The graph's own choice of rows, by an input that we set to all of them. */
  #isLogitsToKeep({ input: [, ...bounds] }: NodeProto): boolean {
    return bounds.every((name) => !this.#tokens.has(name));
  }
}

/** Our own nodes keep batch and tokens. */
const isOurs = ({ name }: NodeProto): boolean => name.startsWith('jit-attention.');
