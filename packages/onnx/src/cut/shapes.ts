import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema, ModelProtoSchema, type NodeProto, type TensorProto } from 'onnx-buf';

import { Attributes } from '../attributes.js';
import { OnnxGraph } from '../graph.js';
import { TEXTS } from '../run/names.js';
import type { AttentionSite } from '../site.js';
import { makeIntegers, makeNode } from './nodes.js';

/**
 * Exporters that join the past in the graph ask for the size of the result (`Shape`), to count positions or to build
 * masks. With our cache nothing is joined: here the size follows from the text and from the size of the past, and the
 * keys and values themselves are asked no more.
 */
export function answerShapes(graph: OnnxGraph, sites: readonly AttentionSite[]): OnnxGraph {
  const text = TEXTS.find((name) => graph.input(name)) ?? graph.inputs[0].name;
  const answers = new Map<NodeProto, Answer>();
  for (const { cache, heads, kvHeads, headDim, valueDim } of sites) {
    if (!cache) continue;
    const answerAll = (past: string, present: string, width: number): void => {
      const asked = [
        ...shapesOf(graph, present).map((node) => ({ node, heads: kvHeads })),
        ...repeatedOf(graph, present).flatMap((name) =>
          shapesOf(graph, name).map((node) => ({ node, heads })),
        ),
      ];
      for (const { node, heads } of asked)
        answers.set(node, answer(node, { text, past, heads, width }));
    };
    answerAll(cache.pastKey, cache.presentKey, headDim);
    answerAll(cache.pastValue, cache.presentValue, valueDim);
  }
  return answers.size > 0 ? replaced(graph, answers) : graph;
}

const shapesOf = (graph: OnnxGraph, value: string): NodeProto[] =>
  graph.consumers(value).filter(({ opType }) => opType === 'Shape');

/** The same for all query heads: an axis more, expanded, and joined with the heads again. */
function repeatedOf(graph: OnnxGraph, present: string): string[] {
  const steps = [['Unsqueeze', 'Reshape'], ['Expand', 'Tile'], ['Reshape']];
  return steps.reduce<string[]>(
    (values, opTypes) =>
      values.flatMap((value) =>
        graph
          .consumers(value)
          .filter(({ opType, input }) => opTypes.includes(opType) && input[0] === value)
          .map(({ output }) => output[0]),
      ),
    [present],
  );
}

/** What stands in a node's place. */
interface Answer {
  readonly nodes: readonly NodeProto[];
  readonly constants: readonly TensorProto[];
}

/** `[B, heads, past + T, width]` */
interface Present {
  readonly text: string;
  readonly past: string;
  readonly heads: number;
  readonly width: number;
}

/** The sizes one by one, joined, and cut to those that the node gives. */
function answer(node: NodeProto, { text, past, heads, width }: Present): Answer {
  const named = (what: string): string => `jit-attention.${node.output[0]}.${what}`;
  const nodes: NodeProto[] = [];
  const constants: TensorProto[] = [];
  const add = (opType: string, what: string, inputs: string[], attributes = {}): string => {
    nodes.push(makeNode({ opType, name: named(what), inputs, outputs: [named(what)], attributes }));
    return named(what);
  };
  const list = (what: string, ...values: number[]): string => {
    constants.push(makeIntegers(named(what), values));
    return named(what);
  };
  const size = (what: string, value: string, axis: number): string =>
    add('Gather', what, [add('Shape', `${what}.of`, [value]), list(`${what}.axis`, axis)]);

  const total = add('Add', 'total', [size('past', past, 2), size('tokens', text, 1)]);
  const sizes = [size('batch', text, 0), list('heads', heads), total, list('width', width)];
  const attributes = new Attributes(node);
  const bounds = [attributes.int('start', 0), attributes.int('end', sizes.length)];
  const inputs = [
    add('Concat', 'shape', sizes, { axis: 0 }),
    ...bounds.map((bound, i) => list(`bound.${i}`, bound)),
  ];
  nodes.push(makeNode({ opType: 'Slice', name: node.name, inputs, outputs: node.output }));
  return { nodes, constants };
}

function replaced({ file, model }: OnnxGraph, answers: ReadonlyMap<NodeProto, Answer>): OnnxGraph {
  const { node, initializer, ...rest } = model.graph!;
  const constants = [...answers.values()].flatMap((one) => one.constants);
  const graph = create(GraphProtoSchema, {
    ...rest,
    node: node.flatMap((one) => answers.get(one)?.nodes ?? [one]),
    initializer: [...initializer, ...constants],
  });
  return new OnnxGraph(file, create(ModelProtoSchema, { ...model, graph }));
}
