import type { AttributeProto, NodeProto } from 'onnx-buf';

/** Attributes of a node, with the operator's defaults. */
export class Attributes {
  readonly #byName: ReadonlyMap<string, AttributeProto>;

  constructor(node: NodeProto) {
    this.#byName = new Map(node.attribute.map((attribute) => [attribute.name, attribute]));
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  int(name: string, byDefault: number): number {
    const attribute = this.#byName.get(name);
    return attribute ? Number(attribute.i) : byDefault;
  }

  ints(name: string, byDefault: readonly number[]): readonly number[] {
    return this.#byName.get(name)?.ints.map(Number) ?? byDefault;
  }

  float(name: string, byDefault: number): number {
    return this.#byName.get(name)?.f ?? byDefault;
  }

  string(name: string, byDefault: string): string {
    const attribute = this.#byName.get(name);
    return attribute ? new TextDecoder().decode(attribute.s) : byDefault;
  }
}
