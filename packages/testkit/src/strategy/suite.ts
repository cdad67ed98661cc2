import {
  type Attention,
  type AttentionOptions,
  type AttentionStrategy,
  type Backend,
  createAttention,
  type Layer,
} from '@jit-attention/core';

import { onBackend, withoutLeaks } from '../backends.js';
import { type Inputs, inputsOf } from '../inputs.js';
import { layerOf, type Limits, optionsOf, type Problem, problems, tokensOf } from '../problem.js';
import { holds } from '../property.js';
import { itUnless, type Runner } from '../runner.js';
import { type Tolerance, tolerances } from '../tolerances.js';

/** Makes a strategy for a layer, whose contexts have at most `tokens` tokens. */
export type Create = (layer: Layer, tokens: number) => AttentionStrategy;

/** What is tested, and how. */
export interface StrategySuite {
  /** Heads the output. */
  readonly name: string;
  /**
   * Configurations, by label. Each is called anew for every layer, whose sizes vary; contexts have up to 40 tokens,
   * so a budget that is to leave something out is well below.
   */
  readonly strategies: Readonly<Record<string, Create>>;
  /** For a strategy that `supports.exact`: configured to read everything there is, and no more. */
  readonly covering?: Create | undefined;
  /** A fresh instance for each test. Default: the f64 reference. */
  readonly backend?: (() => Backend | Promise<Backend>) | undefined;
  /** Default: the reference's. */
  readonly tolerance?: Tolerance | undefined;
  /** Which layers the strategy is for. Default: all sorts. */
  readonly limits?: Limits | undefined;
  /** Random cases of each property. Default: the environment's `JIT_ATTENTION_CASES`, or 50. */
  readonly cases?: number | undefined;
}

/** A configuration on a backend, for one test. */
export class Subject {
  readonly backend: Backend;
  readonly tolerance: Tolerance;
  readonly #create: Create;

  constructor(backend: Backend, tolerance: Tolerance, create: Create) {
    this.backend = backend;
    this.tolerance = tolerance;
    this.#create = create;
  }

  /** The same with a wrapper round every strategy. */
  wrapped(wrap: (strategy: AttentionStrategy) => AttentionStrategy): Subject {
    const create: Create = (...args) => wrap(this.#create(...args));
    return new Subject(this.backend, this.tolerance, create);
  }

  /** Attention for a problem's layer; `options` over the problem's. */
  attention(problem: Problem, options: Partial<AttentionOptions> = {}): Attention {
    const layer = layerOf(problem, layerPart(options));
    const strategy = this.#create(layer, tokensOf(problem));
    return createAttention({
      ...optionsOf(problem, layer),
      ...options,
      backend: this.backend,
      strategy,
    });
  }

  /** A problem's inputs, with what the strategy requires. */
  inputs(problem: Problem): Inputs {
    return inputsOf(problem, this.#create(layerOf(problem), tokensOf(problem)).requires);
  }
}

/** The options that a strategy is told as well. */
function layerPart({ kvHeads, heads, pageSize, queryChunk, rollback }: Partial<AttentionOptions>) {
  const given = Object.entries({ kvHeads, heads, pageSize, queryChunk, rollback });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Partial<Layer>;
}

export interface PropertyOptions {
  /** Why the property does not apply to a strategy, if so. */
  unless?: (strategy: AttentionStrategy) => string | undefined;
}

/** A property of every configuration, tried on random problems; each must free all that it makes. */
export function property(
  runner: Runner,
  suite: StrategySuite,
  name: string,
  body: (problem: Problem, subject: Subject) => Promise<void>,
  { unless }: PropertyOptions = {},
): void {
  for (const [label, create] of Object.entries(suite.strategies)) {
    const reason = unless?.(create(sampleLayer(suite.limits), 1));
    itUnless(runner, reason, `${label}: ${name}`, () =>
      onBackend(suite.backend, (backend) => {
        const subject = new Subject(backend, suite.tolerance ?? tolerances.reference, create);
        return holds(
          [problems(suite.limits)],
          (problem) => withoutLeaks(backend, () => body(problem, subject)),
          suite.cases,
        );
      }),
    );
  }
}

/** The simplest layer that the limits allow. */
export function sampleLayer({ kvHeads, groups, widths, pageSizes }: Limits = {}): Layer {
  const [headDim, valueDim] = widths?.[0] ?? [16, 16];
  return layerOf({
    seed: 0,
    numbers: 'normal',
    lengths: [1],
    kvHeads: kvHeads?.[0] ?? 1,
    group: groups?.[0] ?? 1,
    headDim,
    valueDim,
    values: 'own',
    pageSize: pageSizes?.[0] ?? 4,
    softcap: undefined,
    sinkLogits: false,
  });
}
