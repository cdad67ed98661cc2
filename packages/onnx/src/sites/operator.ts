import type { NodeProto } from 'onnx-buf';

import { Attributes } from '../attributes.js';
import type { OnnxGraph } from '../graph.js';
import type { Match, Matcher, Operand } from '../site.js';
import { dtypeOf } from './dtype.js';
import { Facts } from './facts/facts.js';
import { orRefusal, refuse } from './refused.js';
import { type Stored, storedOf } from './stored.js';

/** All that an operator can have, in the order of its definition. What is not in here is refused. */
export interface Signature {
  readonly opType: string;
  readonly domain: string;
  readonly attributes: readonly string[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** ONNX Runtime's own operators. */
export const MICROSOFT = 'com.microsoft';

/** A matcher of one operator, whose nodes `describe` tells about. */
export function operatorMatcher(
  signature: Signature,
  describe: (operator: Operator) => Match,
): Matcher {
  return (graph, node) => {
    if (!isOperator(node, signature)) return undefined;
    return orRefusal(() => describe(new Operator(graph, node, signature)));
  };
}

export function isOperator(
  { opType, domain }: NodeProto,
  wanted: Pick<Signature, 'opType' | 'domain'>,
): boolean {
  return opType === wanted.opType && (domain === 'ai.onnx' ? '' : domain) === wanted.domain;
}

/** A node with its inputs and outputs by the names of the operator's definition. */
export class Operator {
  readonly graph: OnnxGraph;
  readonly node: NodeProto;
  readonly facts: Facts;
  readonly attributes: Attributes;
  readonly #signature: Signature;

  constructor(graph: OnnxGraph, node: NodeProto, signature: Signature) {
    this.graph = graph;
    this.node = node;
    this.facts = Facts.of(graph);
    this.attributes = new Attributes(node);
    this.#signature = signature;
    this.#refuseUnknown();
  }

  refuse(found: string, supported: string): never {
    return refuse(this.node, found, supported);
  }

  /** The value of an input; undefined where it is left out. */
  input(name: string): string | undefined {
    return this.node.input[this.#signature.inputs.indexOf(name)] || undefined;
  }

  required(name: string): string {
    return this.input(name) ?? this.refuse(`no input ${name}`, `nodes with ${name}`);
  }

  /** The value of an output; undefined where it is left out, or nobody wants it. */
  output(name: string): string | undefined {
    const value = this.node.output[this.#signature.outputs.indexOf(name)];
    return value && this.#isWanted(value) ? value : undefined;
  }

  /** Refuses a node that has one of these inputs or outputs. */
  without(...names: string[]): void {
    const given = names.find((name) => this.input(name) ?? this.output(name));
    if (given) this.refuse(this.called(given), `nodes without ${given}`);
  }

  /** Refuses an attribute of any other value; also the operator's default. */
  only(name: string, value: number | string): void {
    const found =
      typeof value === 'number'
        ? this.attributes.int(name, value)
        : this.attributes.string(name, value);
    if (found !== value) this.refuse(`attribute ${name} ${found}`, `${name} ${value}`);
  }

  /** A count that has to be there. */
  count(attribute: string): number {
    const count = this.attributes.int(attribute, 0);
    return count > 0
      ? count
      : this.refuse(`attribute ${attribute} ${count}`, `${attribute} from 1`);
  }

  /** 0 and below say "none". */
  positive(attribute: string): number | undefined {
    const value = this.attributes.float(attribute, 0);
    return value > 0 ? value : undefined;
  }

  /** The value of an input that has to be a weight of these sizes. */
  constant(name: string, dims: readonly number[]): string {
    const value = this.required(name);
    if (!this.graph.initializer(value))
      this.refuse(`${this.called(name)}, computed in the graph`, `a constant ${name}`);
    const found = this.facts.dims(value) ?? [];
    if (found.join() !== dims.join())
      this.refuse(`${this.called(name)} of shape [${found.join(', ')}]`, `[${dims.join(', ')}]`);
    return value;
  }

  /** The keys or values of an input. */
  stored(input: string, layout: Operand['layout']): Stored {
    return storedOf(this.graph, this.node, { name: this.required(input), layout });
  }

  dtype(input: string): 'f32' | 'f16' {
    return dtypeOf(this.node, this.called(input), this.facts.type(this.required(input)));
  }

  /** `input 10 (attention_bias)` */
  called(name: string): string {
    const { inputs, outputs } = this.#signature;
    const index = inputs.indexOf(name);
    return index >= 0 ? `input ${index} (${name})` : `output ${outputs.indexOf(name)} (${name})`;
  }

  #refuseUnknown(): void {
    const { opType, attributes, inputs, outputs } = this.#signature;
    const unknown = this.attributes.names.find((name) => !attributes.includes(name));
    if (unknown) this.refuse(`attribute ${unknown}`, `${opType} with ${attributes.join(', ')}`);
    const surplus = this.node.input.findIndex((name, i) => name !== '' && i >= inputs.length);
    if (surplus >= 0) this.refuse(`input ${surplus}`, `${opType} with ${inputs.length} inputs`);
    const more = this.node.output.findIndex((name, i) => name !== '' && i >= outputs.length);
    if (more >= 0) this.refuse(`output ${more}`, `${opType} with ${outputs.length} outputs`);
  }

  #isWanted(value: string): boolean {
    return this.graph.output(value) !== undefined || this.graph.consumers(value).length > 0;
  }
}
