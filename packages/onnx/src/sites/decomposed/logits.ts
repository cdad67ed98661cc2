import { type NodeProto, TensorProto_DataType as DataType } from 'onnx-buf';

import { Attributes } from '../../attributes.js';
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
  /** A constant with one logit a head. */
  readonly sinkLogits?: string | undefined;
  readonly masks: readonly Mask[];
}

/** Hides as well as -Infinity does, whatever the logits. */
const HIDES = -1000;

/** Readers that change nothing: of sizes, and of the largest logit, which has to be taken off again. */
const LOOKS = ['Shape', 'ReduceMax'];

/** They leave logits as they are. */
const TRANSPARENT = ['Cast', 'Identity', 'Dropout'];

/** Whether a softmax is of queries and keys: others choose experts, or pool. */
export function hasProduct(graph: OnnxGraph, { input }: NodeProto): boolean {
  return productBehind(graph, input[0]) !== undefined;
}

/**
 * Follows logits back to the product of queries and keys.
 *
 * @throws {Refused} for steps on the way that are not understood
 */
export function logitsOf(graph: OnnxGraph, softmax: NodeProto): Logits {
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
  #sinkLogits: string | undefined;

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
        sinkLogits: this.#sinkLogits,
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
    if (opType === 'Sub') return this.#sub(node);
    if (opType === 'Concat') return this.#concat(node);
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

  /** A softmax that takes the largest logit off first: the same softmax. */
  #sub(node: NodeProto): string {
    const [logits, largest] = node.input;
    const maker = this.#graph.producer(largest);
    if (maker?.opType !== 'ReduceMax' || maker.input[0] !== logits)
      this.#refuse(`Sub '${node.name}' of something else than the largest logit`);
    return logits;
  }

  /** `[logits, sink]`: one more entry for each query, that has no value. */
  #concat(node: NodeProto): string {
    const [logits, sinks, ...more] = node.input;
    const axis = new Attributes(node).int('axis', 0);
    const constant = behind(this.#graph, sinks, (name) => floatsOf(this.#graph, name));
    const isLast = this.#factor === 1 && this.#masks.length === 0 && this.#softcap === undefined;
    if (more.length > 0 || (axis !== -1 && axis !== 3) || !constant || !isLast)
      return this.#refuse(`Concat '${node.name}' of logits with ${sinks}`);
    this.#sinkLogits = constant;
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
    const readers = this.#graph.consumers(name);
    const { length } = readers.filter(({ opType }) => !LOOKS.includes(opType));
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

/** The name, if it is that of a constant of floats: no shape, no axis. */
function floatsOf(graph: OnnxGraph, name: string): string | undefined {
  const type: DataType | undefined = graph.initializer(name) && graph.elementType(name);
  return type === DataType.FLOAT || type === DataType.FLOAT16 ? name : undefined;
}
