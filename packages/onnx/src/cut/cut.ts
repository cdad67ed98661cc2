import type { NodeProto, TensorProto } from 'onnx-buf';

import type { OnnxGraph } from '../graph.js';
import { reads } from '../graph/subgraphs.js';
import type { Place } from './places.js';

/**
 * A piece of the graph between attentions: all that can run once the attentions of the pieces before it have.
 * Then come its `places`, which may be several: attentions that do not need each other.
 */
export interface Piece {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  /** Graph inputs, outputs of attentions, and values of earlier pieces. */
  readonly inputs: readonly string[];
  /** What later pieces, this piece's places, or the user of the model need. */
  readonly outputs: readonly string[];
  readonly places: readonly Place[];
}

/**
 * Cuts a graph at its attentions.
 *
 * A value's stage is the number of attentions, one after the other, that it needs; the nodes of a stage are a piece.
 * What depends on weights alone has no stage: every piece that needs it makes it. What no output needs any more,
 * such as the masks of replaced attentions, is in no piece.
 *
 * @param outputs the graph's outputs that are wanted, those of caches left out
 */
export function cutGraph(
  graph: OnnxGraph,
  places: readonly Place[],
  outputs: readonly string[],
): Piece[] {
  const flow = new Flow(graph, places);
  const order = flow.order([...outputs, ...places.flatMap(valuesOf)]);
  const stages = stagesOf(flow, order);
  const used = usersOf(flow, order, stages, outputs);
  const count = 1 + Math.max(0, ...stages.values());
  return Array.from({ length: count }, (_, stage) =>
    makePiece(flow, { order, stages, used }, stage),
  );
}

const valuesOf = ({ query, key, value }: Place): string[] => [query, key, value];

/** The graph with places instead of attentions: who makes a value, and of what. */
class Flow {
  readonly places: readonly Place[];
  readonly #graph: OnnxGraph;
  readonly #made = new Map<string, NodeProto>();
  readonly #attended = new Map<string, Place>();
  readonly #constants = new Map<string, TensorProto>();

  constructor(graph: OnnxGraph, places: readonly Place[]) {
    this.#graph = graph;
    this.places = places;
    for (const place of places) {
      this.#attended.set(place.output, place);
      for (const node of place.nodes) for (const name of node.output) this.#made.set(name, node);
      for (const tensor of place.constants) this.#constants.set(tensor.name, tensor);
    }
  }

  producer(name: string): NodeProto | undefined {
    if (this.#attended.has(name)) return undefined;
    return this.#made.get(name) ?? this.#graph.producer(name);
  }

  /** The place that gives a value. */
  attended(name: string): Place | undefined {
    return this.#attended.get(name);
  }

  constant(name: string): TensorProto | undefined {
    return this.#constants.get(name) ?? this.#graph.initializer(name);
  }

  /** What a value is made of. */
  sources(name: string): string[] {
    const place = this.attended(name);
    if (place) return valuesOf(place);
    const node = this.producer(name);
    return node ? reads(node) : [];
  }

  /** All values that `wanted` need, each behind its sources. */
  order(wanted: readonly string[]): string[] {
    const done = new Set<string>();
    const open = [...wanted].reverse();
    const entered = new Set<string>();
    while (open.length > 0) {
      const name = open.at(-1)!;
      if (entered.has(name)) {
        open.pop();
        done.add(name);
        continue;
      }
      entered.add(name);
      open.push(...this.sources(name).filter((source) => !entered.has(source)));
    }
    return [...done];
  }
}

/** Values that weights alone decide have no stage. */
type Stages = ReadonlyMap<string, number>;

function stagesOf(flow: Flow, order: readonly string[]): Stages {
  const stages = new Map<string, number>();
  for (const name of order) {
    if (flow.constant(name)) continue;
    const sources = flow.sources(name);
    const known = sources.map((source) => stages.get(source)).filter((one) => one !== undefined);
    const after = flow.attended(name) ? 1 : 0;
    if (known.length > 0) stages.set(name, after + Math.max(...known));
    else if (sources.length === 0) stages.set(name, 0);
  }
  return stages;
}

/** The last stage in which each value is needed: by a node, by a place, or (never over) as an output. */
function usersOf(
  flow: Flow,
  order: readonly string[],
  stages: Stages,
  outputs: readonly string[],
): ReadonlyMap<string, number> {
  const last = new Map<string, number>(outputs.map((name) => [name, Infinity]));
  const use = (name: string, stage: number): void => {
    last.set(name, Math.max(stage, last.get(name) ?? 0));
  };
  for (const name of order) {
    const stage = stages.get(name);
    if (stage === undefined || flow.attended(name)) continue;
    for (const source of flow.sources(name)) use(source, stage);
  }
  return last;
}

interface Analysis {
  readonly order: readonly string[];
  readonly stages: Stages;
  readonly used: ReadonlyMap<string, number>;
}

function makePiece(flow: Flow, { order, stages, used }: Analysis, stage: number): Piece {
  const places = flow.places.filter(({ output }) => stages.get(output) === stage + 1);
  const wanted = new Set(places.flatMap(valuesOf));
  const isMade = (name: string): boolean =>
    stages.get(name) === stage && flow.producer(name) !== undefined;
  const outputs = order.filter(
    (name) => isMade(name) && (wanted.has(name) || (used.get(name) ?? 0) > stage),
  );
  const nodes = new Set<NodeProto>();
  const inputs = new Set<string>();
  const initializers = new Map<string, TensorProto>();
  const visited = new Set<string>();
  const visit = (name: string): void => {
    if (visited.has(name)) return;
    visited.add(name);
    const constant = flow.constant(name);
    if (constant) return void initializers.set(name, constant);
    const own = stages.get(name) ?? stage;
    const node = own === stage ? flow.producer(name) : undefined;
    if (!node) return void inputs.add(name);
    for (const source of reads(node)) visit(source);
    nodes.add(node);
  };
  for (const name of outputs) visit(name);
  return {
    nodes: [...nodes],
    initializers: [...initializers.values()],
    inputs: [...inputs],
    outputs,
    places,
  };
}
