import type { NodeProto, TensorProto_DataType as DataType } from 'onnx-buf';

import { Attributes } from '../../attributes.js';
import type { OnnxGraph } from '../../graph.js';
import { COMPUTING } from './computing.js';
import { ofBranches } from './branches.js';
import { type Asked, type Fact, FEW, type Known, type Rule } from './fact.js';
import { REARRANGING } from './rearranging.js';
import { product } from './sizes.js';

const RULES: Readonly<Record<string, Rule>> = { ...REARRANGING, ...COMPUTING };

/** Most operators give what they take. */
const byDefault: Rule = ({ inputs }) => [{ type: inputs[0]?.type }];

const cache = new WeakMap<OnnxGraph, Facts>();

/**
 * Types, sizes and small numbers of the values of a graph, found without running it: declared ones, and what follows
 * from them. Exporters declare little in between, while a matcher has to know the heads of `[batch, heads, tokens,
 * width]` and the scale that an exporter computes from the size of a query.
 *
 * Whatever is wrong here is caught: the first run compares sizes, and its result with the original's.
 */
export class Facts {
  readonly #facts = new Map<string, Fact>();
  readonly #graph: OnnxGraph;

  private constructor(graph: OnnxGraph) {
    this.#graph = graph;
    for (const node of graph.nodes) this.#learn(node);
  }

  /** Made once for a graph. */
  static of(graph: OnnxGraph): Facts {
    const facts = cache.get(graph) ?? new Facts(graph);
    cache.set(graph, facts);
    return facts;
  }

  type(name: string): DataType | undefined {
    return this.#of(name).type;
  }

  dims(name: string): readonly Known[] | undefined {
    return this.#of(name).dims;
  }

  /** The size of an axis, counted from the end when negative. */
  size(name: string, axis: number): Known {
    return this.dims(name)?.at(axis);
  }

  /** The elements of a short list. */
  numbers(name: string): readonly Known[] | undefined {
    return this.#of(name).numbers;
  }

  /** The one element of a value, whatever its rank. */
  scalar(name: string): Known {
    const { numbers } = this.#of(name);
    return numbers?.length === 1 ? numbers[0] : undefined;
  }

  #of(name: string): Fact {
    return this.#facts.get(name) ?? this.#declared(name);
  }

  #learn(node: NodeProto): void {
    const found =
      node.opType === 'If' ? ofBranches(node) : (RULES[node.opType] ?? byDefault)(this.#ask(node));
    node.output.forEach((name, i) => {
      if (name !== '') this.#facts.set(name, agreed(this.#declared(name), found[i] ?? {}));
    });
  }

  #ask(node: NodeProto): Asked {
    const attributes = new Attributes(node);
    const inputs = node.input.map((name) => (name === '' ? {} : this.#of(name)));
    return {
      inputs,
      outputs: node.output.length,
      int: (name, byDefault) => attributes.int(name, byDefault),
      ints: (name, input) => {
        return attributes.names.includes(name) ? attributes.ints(name, []) : inputs[input]?.numbers;
      },
    };
  }

  #declared(name: string): Fact {
    const dims = this.#graph
      .shape(name)
      ?.map((size) => (typeof size === 'number' ? size : undefined));
    const few = dims && (product(dims) ?? Infinity) <= FEW;
    const numbers = few && this.#graph.initializer(name) ? this.#graph.constant(name) : undefined;
    return { type: this.#graph.elementType(name), dims, numbers };
  }
}

/** What is declared holds; the rest follows. */
function agreed(declared: Fact, found: Fact): Fact {
  const { dims = found.dims } = declared;
  const sizes = dims?.map(
    (size, axis) => size ?? (sameRank(dims, found.dims) ? found.dims[axis] : undefined),
  );
  return { type: declared.type ?? found.type, dims: sizes, numbers: found.numbers };
}

function sameRank(a: Fact['dims'], b: Fact['dims']): b is readonly Known[] {
  return a !== undefined && a.length === b?.length;
}
