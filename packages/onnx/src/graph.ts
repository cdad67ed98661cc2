import type { TensorProto_DataType as DataType } from 'onnx-buf';
import { type ModelProto, type NodeProto, type TensorProto, type ValueInfoProto } from 'onnx-buf';

import { reads } from './graph/subgraphs.js';
import { numbersOf } from './graph/values.js';

/** A declared size; a string is symbolic, undefined unknown. */
export type Dim = number | string | undefined;

/**
 * An ONNX graph with its values by name. Values are edges: a graph input, an initializer, or an output of one node.
 * `Constant` nodes have become initializers.
 */
export class OnnxGraph {
  /** The file's name, for errors. */
  readonly file: string;
  readonly model: ModelProto;
  readonly #nodes: readonly NodeProto[];
  readonly #producers = new Map<string, NodeProto>();
  readonly #consumers = new Map<string, NodeProto[]>();
  readonly #initializers: ReadonlyMap<string, TensorProto>;
  readonly #inputs: ReadonlyMap<string, ValueInfoProto>;
  readonly #outputs: ReadonlyMap<string, ValueInfoProto>;
  readonly #infos: ReadonlyMap<string, ValueInfoProto>;

  constructor(file: string, model: ModelProto) {
    const graph = model.graph!;
    this.file = file;
    this.model = model;
    this.#nodes = graph.node;
    for (const node of graph.node) {
      for (const name of node.output) if (name !== '') this.#producers.set(name, node);
      for (const name of new Set(reads(node))) push(this.#consumers, name, node);
    }
    this.#initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
    // Old graphs list their weights among the inputs.
    const inputs = graph.input.filter(({ name }) => !this.#initializers.has(name));
    this.#inputs = byName(inputs);
    this.#outputs = byName(graph.output);
    this.#infos = byName([...graph.valueInfo, ...graph.output, ...inputs]);
  }

  /** In an order in which they can run. */
  get nodes(): readonly NodeProto[] {
    return this.#nodes;
  }

  /** What has to be fed. */
  get inputs(): readonly ValueInfoProto[] {
    return [...this.#inputs.values()];
  }

  get outputs(): readonly ValueInfoProto[] {
    return [...this.#outputs.values()];
  }

  input(name: string): ValueInfoProto | undefined {
    return this.#inputs.get(name);
  }

  output(name: string): ValueInfoProto | undefined {
    return this.#outputs.get(name);
  }

  /** The node that writes a value; undefined for inputs and initializers. */
  producer(name: string): NodeProto | undefined {
    return this.#producers.get(name);
  }

  /** The nodes that read a value, in graph order. */
  consumers(name: string): readonly NodeProto[] {
    return this.#consumers.get(name) ?? [];
  }

  initializer(name: string): TensorProto | undefined {
    return this.#initializers.get(name);
  }

  /** The elements of a small constant, row-major; undefined for what is no constant, or lies outside the graph. */
  constant(name: string): number[] | undefined {
    const tensor = this.#initializers.get(name);
    return tensor && numbersOf(tensor);
  }

  /** The shape of an initializer, or as declared for an input, an output or a value in between. */
  shape(name: string): readonly Dim[] | undefined {
    const tensor = this.#initializers.get(name);
    if (tensor) return tensor.dims.map(Number);
    const info = this.#infos.get(name);
    return info && declaredShape(info);
  }

  /** As {@link OnnxGraph.shape}; where nothing is declared, undefined. */
  elementType(name: string): DataType | undefined {
    const tensor = this.#initializers.get(name);
    if (tensor) return tensor.dataType;
    const info = this.#infos.get(name);
    return info && declaredType(info);
  }

  /** Version of an operator set, by its domain (`''`: ai.onnx); undefined if it is not imported. */
  opset(domain: string): number | undefined {
    const names = domain === '' ? ['', 'ai.onnx'] : [domain];
    const found = this.model.opsetImport.find((one) => names.includes(one.domain));
    return found && Number(found.version);
  }
}

export function declaredType(info: ValueInfoProto): DataType | undefined {
  const type = info.type?.value;
  return type?.case === 'tensorType' ? type.value.elemType : undefined;
}

export function declaredShape(info: ValueInfoProto): readonly Dim[] | undefined {
  const type = info.type?.value;
  if (type?.case !== 'tensorType') return undefined;
  return type.value.shape?.dim.map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : value.value || undefined,
  );
}

function byName(infos: readonly ValueInfoProto[]): Map<string, ValueInfoProto> {
  return new Map(infos.map((info) => [info.name, info]));
}

function push<T>(lists: Map<string, T[]>, name: string, one: T): void {
  const list = lists.get(name);
  if (list) list.push(one);
  else lists.set(name, [one]);
}
