import type { NodeProto } from 'onnx-buf';

import type { OnnxGraph } from '../../graph.js';
import type { Mask } from '../../site.js';
import { behind } from '../behind.js';
import { Facts } from '../facts/facts.js';
import { refuse } from '../refused.js';
import { scaledBy } from './factor.js';
import { isProduct } from './product.js';

/** What is done to the product of queries and keys before the softmax. */
export interface Logits {
  /** The product's node. */
  readonly product: NodeProto;
  readonly factor: number;
  readonly softcap?: number | undefined;
  readonly masks: readonly Mask[];
}

/** Hides as well as -Infinity does, whatever the logits. */
const HIDES = -1000;

/** They leave logits as they are. */
const TRANSPARENT = ['Cast', 'Identity', 'Dropout'];

/**
 * Follows logits back to the product of queries and keys; undefined where there is none, for a softmax that is no
 * attention.
 *
 * @throws {Refused} for steps on the way that are not understood
 */
export function logitsOf(graph: OnnxGraph, softmax: NodeProto): Logits | undefined {
  const product = productBehind(graph, softmax.input[0]);
  if (!product) return undefined;
  return new Walk(graph, softmax).back(softmax.input[0]);
}

/** A product that a value is made of. */
function productBehind(graph: OnnxGraph, name: string): NodeProto | undefined {
  return behind(graph, name, (_, maker) => (maker && isProduct(graph, maker) ? maker : undefined));
}

/** The steps from the softmax back to the product, gathered one by one. */
class Walk {
  readonly #graph: OnnxGraph;
  readonly #softmax: NodeProto;
  readonly #masks: Mask[] = [];
  #factor = 1;
  #softcap: number | undefined;

  constructor(graph: OnnxGraph, softmax: NodeProto) {
    this.#graph = graph;
    this.#softmax = softmax;
  }

  back(name: string): Logits {
    const node = this.#graph.producer(name)!;
    this.#assertOwn(name);
    if (isProduct(this.#graph, node))
      return {
        product: node,
        factor: this.#factor,
        softcap: this.#softcap,
        masks: this.#masks,
      };
    return this.back(this.#step(node));
  }

  /** Takes one node in; gives the value that it changes. */
  #step(node: NodeProto): string {
    const { opType, input } = node;
    if (TRANSPARENT.includes(opType)) return input[0];
    if (opType === 'Tanh') return this.#tanh(node);
    const scaled = scaledBy(this.#graph, node);
    if (scaled) {
      this.#factor *= scaled.factor;
      return scaled.name;
    }
    if (opType === 'Add') return this.#add(node);
    if (opType === 'Where') return this.#where(node);
    if (opType === 'Max') return this.#max(node);
    return this.#refuse(`${opType} '${node.name}' between the product and the softmax`);
  }

  /** `a * tanh(y)` caps at a the logits `a * y`. */
  #tanh({ name, input }: NodeProto): string {
    if (this.#softcap !== undefined) this.#refuse(`a second Tanh '${name}'`);
    if (this.#factor <= 0) this.#refuse(`Tanh '${name}' times ${this.#factor}`);
    this.#softcap = this.#factor;
    return input[0];
  }

  #add(node: NodeProto): string {
    const [logits, other] = this.#apart(node.input);
    this.#mask(node, { kind: 'logits', name: other });
    return logits;
  }

  #where(node: NodeProto): string {
    const [condition, ...branches] = node.input;
    const [logits, other] = this.#apart(branches);
    const filled = Facts.of(this.#graph).scalar(other);
    if (filled === undefined || filled > HIDES)
      this.#refuse(`Where '${node.name}' that puts ${filled ?? other} for a logit`);
    this.#mask(node, { kind: 'logits', name: condition, hides: logits === branches[1] });
    return logits;
  }

  /** Some exporters keep masked logits from overflowing: nothing that is seen is that low. */
  #max(node: NodeProto): string {
    const [logits, other] = this.#apart(node.input);
    const least = Facts.of(this.#graph).scalar(other);
    if (least === undefined || least > HIDES)
      this.#refuse(`Max '${node.name}' with ${least ?? other}`);
    return logits;
  }

  #mask(node: NodeProto, mask: Mask): void {
    if (this.#softcap !== undefined) this.#refuse(`${node.opType} '${node.name}' before Tanh`);
    this.#masks.push(mask);
  }

  /** Which of two values the logits are; the other shapes them. */
  #apart(values: readonly string[]): [logits: string, other: string] {
    const [logits, other, ...more] = [...values].sort(
      (a, b) => Number(this.#isLogits(b)) - Number(this.#isLogits(a)),
    );
    if (this.#isLogits(other) || more.length > 0)
      this.#refuse(`two products of queries and keys, ${values.join(' and ')}`);
    return [logits, other];
  }

  #isLogits(value: string): boolean {
    return productBehind(this.#graph, value) !== undefined;
  }

  #assertOwn(name: string): void {
    const { length } = this.#graph.consumers(name);
    if (length !== 1 || this.#graph.output(name))
      this.#refuse(
        `logits ${name} that ${length} nodes and ${this.#graph.output(name) ? 'the caller' : 'nobody else'} read`,
      );
  }

  #refuse(found: string): never {
    return refuse(
      this.#softmax,
      found,
      'logits that are scaled, capped by Tanh, masked by Add or Where, and read by the softmax alone',
    );
  }
}
