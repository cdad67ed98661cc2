import {
  type Attention,
  type AttentionOptions,
  type AttentionResult,
  type AttentionStrategy,
  type CallInputs,
  createAttention,
  type KeptPlan,
  reference,
  type Sequence,
} from '@jit-attention/core';

import { Bench } from '../../../src/backend/bench.js';
import { cutRows, type Inputs, mapInputs, type Rows } from './inputs.js';
import { headsOf, type Problem } from './problem.js';

/** One layer of a stack, and what is known of it. */
export interface LayerSpec {
  /** What it makes for itself, weights say, is the bench's to free. */
  strategy(bench: Bench): AttentionStrategy;
  readonly inputs: Inputs;
  /** Over the problem's: scale, values, sinkLogits, … */
  readonly options?: Partial<AttentionOptions> | undefined;
  /** Whose plan comes as `from`: the layer below's, of the same call, or its own, of the call before. Default: none. */
  readonly from?: 'layer' | 'step' | undefined;
}

/** The auxiliary inputs that a layer's strategy requires. */
export function requiresOf({
  strategy,
}: Pick<LayerSpec, 'strategy'>): AttentionStrategy['requires'] {
  return strategy(new Bench(reference())).requires;
}

/** Which tokens a call brings: `start[row] … start[row] + counts[row] - 1` of each batch row. */
export interface Call {
  readonly start: readonly number[];
  readonly counts: readonly number[];
}

/** Attention objects of one problem on one backend, the lowest layer first. */
export function attentionsOf(
  bench: Bench,
  problem: Problem,
  layers: readonly LayerSpec[],
): Attention[] {
  const { kvHeads, headDim, valueDim, pageSize, queryChunk, rollback } = problem;
  const shared = { backend: bench.backend, heads: headsOf(problem), kvHeads, headDim, valueDim };
  return layers.map((layer) =>
    createAttention({
      ...shared,
      pageSize,
      queryChunk,
      rollback,
      ...layer.options,
      strategy: layer.strategy(bench),
    }),
  );
}

type Attend = (inputs: CallInputs, layer: number) => Promise<AttentionResult>;

/** Layers that are called one after the other, plans handed on between them. */
export class Stack {
  readonly #layers: readonly LayerSpec[];
  readonly #attend: Attend;
  /** Each layer's plan of the call before, where the layer is given it. */
  readonly #earlier: (KeptPlan | undefined)[];

  constructor(
    layers: readonly LayerSpec[],
    attend: Attend,
    earlier: (KeptPlan | undefined)[] = [],
  ) {
    this.#layers = layers;
    this.#attend = attend;
    this.#earlier = earlier;
  }

  /** The results of all layers; the caller disposes of them. With `forget` the next call is not given these plans. */
  async call(
    inputs: readonly Inputs[],
    lengths: readonly number[],
    { forget = false }: { forget?: boolean } = {},
  ): Promise<AttentionResult[]> {
    const results: AttentionResult[] = [];
    for (const [i, { from }] of this.#layers.entries()) {
      const below = results.at(-1)?.plan;
      const earlier = from === 'layer' ? below : this.#earlier[i];
      const arrays = toArrays(inputs[i]);
      results.push(await this.#attend({ ...arrays, lengths, from: earlier, keepPlan: true }, i));
    }
    for (const [i, { from }] of this.#layers.entries())
      if (from === 'step' && !forget) this.#remember(i, results[i].plan);
    return results;
  }

  /** The plans that the next call is given. */
  get earlier(): (KeptPlan | undefined)[] {
    return this.#earlier.map((plan) => plan?.retain());
  }

  dispose(): void {
    for (const plan of this.#earlier) plan?.dispose();
    this.#earlier.length = 0;
  }

  #remember(layer: number, plan: KeptPlan | undefined): void {
    this.#earlier[layer]?.dispose();
    this.#earlier[layer] = plan?.retain();
  }
}

/** A stack over sequences: grows, goes back, forks. */
export class SequenceStack {
  readonly #layers: readonly LayerSpec[];
  readonly #sequences: readonly Sequence[];
  readonly #stack: Stack;

  constructor(
    layers: readonly LayerSpec[],
    sequences: readonly Sequence[],
    earlier: (KeptPlan | undefined)[] = [],
  ) {
    this.#layers = layers;
    this.#sequences = sequences;
    this.#stack = new Stack(layers, (inputs, i) => sequences[i].attend(inputs), earlier);
  }

  get lengths(): readonly number[] {
    return this.#sequences[0].lengths;
  }

  call(...args: Parameters<Stack['call']>): Promise<AttentionResult[]> {
    return this.#stack.call(...args);
  }

  truncate(lengths: readonly number[]): void {
    for (const sequence of this.#sequences) sequence.truncate(lengths);
  }

  fork(): SequenceStack {
    const forks = this.#sequences.map((sequence) => sequence.fork());
    return new SequenceStack(this.#layers, forks, this.#stack.earlier);
  }

  dispose(): void {
    this.#stack.dispose();
    for (const sequence of this.#sequences) sequence.dispose();
  }
}

/** The inputs of one call to a sequence. */
export function cutInputs(inputs: Inputs, { start, counts }: Call): Inputs {
  return mapInputs(inputs, (rows) => cutRows(rows, start, counts));
}

/** The inputs of one `run`: the queries of the call, and everything up to them to be read. */
export function cutRunInputs(inputs: Inputs, { start, counts }: Call): Inputs {
  const from = start.map(() => 0);
  const ends = counts.map((count, row) => start[row] + count);
  const cut = (rows: Rows): Rows =>
    rows.per === 'query' ? cutRows(rows, start, counts) : cutRows(rows, from, ends);
  return mapInputs(inputs, cut);
}

/** Inputs as a call takes them. */
export function toArrays({ query, key, value, aux }: Inputs): CallInputs {
  return {
    query: query.data,
    key: key.data,
    value: value?.data,
    aux: Object.fromEntries(Object.entries(aux).map(([name, rows]) => [name, rows.data])),
  };
}
