import type { AttributeProto, GraphProto, NodeProto } from 'onnx-buf';

/** Attributes of a node with the operator's defaults. */
export class Attributes {
  readonly #byName: Map<string, AttributeProto>;

  constructor(node: NodeProto) {
    this.#byName = new Map(node.attribute.map((attribute) => [attribute.name, attribute]));
  }

  int(name: string, byDefault: number): number {
    const attribute = this.#byName.get(name);
    return attribute ? Number(attribute.i) : byDefault;
  }

  float(name: string, byDefault: number): number {
    return this.#byName.get(name)?.f ?? byDefault;
  }

  string(name: string, byDefault: string): string {
    const attribute = this.#byName.get(name);
    return attribute ? new TextDecoder().decode(attribute.s) : byDefault;
  }
}

/** Graphs inside a node: the branches of `If`, the body of `Loop`. */
export function subgraphs(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs }) => (g ? [g, ...graphs] : graphs));
}

/** Values a node reads, those that its subgraphs take from outside included. */
export function reads(node: NodeProto): string[] {
  const inner = subgraphs(node).flatMap((graph) => [
    ...graph.node.flatMap(reads),
    ...graph.output.map(({ name }) => name),
  ]);
  return [...node.input, ...inner].filter((name) => name !== '');
}
