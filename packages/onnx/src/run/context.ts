import { inputError, type Sequence } from '@jit-attention/core';

import type { Runtime, RuntimeTensor } from '../runtime.js';
import type { ModelLayer } from './layer.js';
import { sliceTensor } from './tensors.js';

/** What a layer that was left to ONNX Runtime keeps: by the name of the input that it comes back in. */
export interface LeftCache {
  readonly past: string;
  readonly present: string;
  /** `[batch, kvHeads, 0, width]` */
  readonly empty: (batch: number) => RuntimeTensor;
}

/** All that a model knows of one text: a sequence for each layer of ours, tensors for each that was left. */
export class Context {
  readonly #runtime: Runtime;
  #sequences: ReadonlyMap<ModelLayer, Sequence>;
  /** By the name of the input. Never changed in place, so forks share them. */
  #left: ReadonlyMap<string, RuntimeTensor>;
  #lengths: readonly number[];

  static create(
    runtime: Runtime,
    layers: readonly ModelLayer[],
    left: readonly LeftCache[],
    { batch, capacity }: { batch: number; capacity: number | undefined },
  ): Context {
    const sequences = new Map<ModelLayer, Sequence>();
    try {
      for (const layer of layers)
        sequences.set(layer, layer.attention.sequence({ batch, capacity }));
    } catch (error) {
      for (const sequence of sequences.values()) sequence.dispose();
      throw error;
    }
    const tensors = new Map(left.map(({ past, empty }) => [past, empty(batch)]));
    return new Context(runtime, sequences, tensors, new Array<number>(batch).fill(0));
  }

  private constructor(
    runtime: Runtime,
    sequences: ReadonlyMap<ModelLayer, Sequence>,
    left: ReadonlyMap<string, RuntimeTensor>,
    lengths: readonly number[],
  ) {
    this.#runtime = runtime;
    this.#sequences = sequences;
    this.#left = left;
    this.#lengths = lengths;
  }

  get lengths(): readonly number[] {
    return this.#lengths;
  }

  get bytes(): number {
    let bytes = 0;
    for (const sequence of this.#sequences.values()) bytes += sequence.bytes;
    for (const { data } of this.#left.values()) bytes += (data as ArrayBufferView).byteLength;
    return bytes;
  }

  get left(): ReadonlyMap<string, RuntimeTensor> {
    return this.#left;
  }

  sequence(layer: ModelLayer): Sequence {
    return this.#sequences.get(layer)!;
  }

  /**
   * Where operators join a past and what is new column by column, rows of unlike length would have gaps between them:
   * such texts are taken in at once, or not at all.
   *
   * @param lengths of the rows, each time that something is to follow
   * @throws {InputError} `UNSUPPORTED`
   */
  assertGoesOn(lengths: readonly (readonly number[])[]): void {
    const uneven = lengths.find((rows) => new Set(rows).size > 1);
    if (this.#left.size === 0 || !uneven) return;
    throw inputError(
      'step',
      'texts of one length, as layers are left to ONNX Runtime',
      [...uneven],
      {
        code: 'UNSUPPORTED',
        hint: 'take them one by one, or leave no layer',
      },
    );
  }

  /** All layers have taken these in. */
  advance(lengths: readonly number[], left: ReadonlyMap<string, RuntimeTensor>): void {
    this.#lengths = lengths;
    this.#left = new Map([...this.#left, ...left]);
  }

  /** Every layer goes back to `lengths`, or stays where it is if it is there already; none if one cannot. */
  truncate(lengths: readonly number[]): void {
    const wanted = lengths.map((length, row) => Math.min(length, this.#lengths[row]));
    if (this.#left.size > 0 && new Set(wanted).size > 1) {
      throw inputError('truncate', 'one length for all rows, as layers are left to ONNX Runtime', [
        ...wanted,
      ]);
    }
    this.#sequences = this.#truncated(wanted);
    const [end] = wanted;
    const cut = ([name, tensor]: [string, RuntimeTensor]): [string, RuntimeTensor] => [
      name,
      tensor.dims[2] <= end
        ? tensor
        : sliceTensor(this.#runtime, tensor, { axis: 2, start: 0, end }),
    ];
    this.#left = new Map([...this.#left].map(cut));
    this.#lengths = wanted;
  }

  /** Forks go back in the place of the sequences, of which some might and others refuse. */
  #truncated(lengths: readonly number[]): ReadonlyMap<ModelLayer, Sequence> {
    const forks = new Map([...this.#sequences].map(([layer, one]) => [layer, one.fork()]));
    try {
      for (const fork of forks.values()) fork.truncate(lengths);
    } catch (error) {
      for (const fork of forks.values()) fork.dispose();
      throw error;
    }
    for (const sequence of this.#sequences.values()) sequence.dispose();
    return forks;
  }

  fork(): Context {
    const sequences = new Map([...this.#sequences].map(([layer, one]) => [layer, one.fork()]));
    return new Context(this.#runtime, sequences, this.#left, this.#lengths);
  }

  dispose(): void {
    for (const sequence of this.#sequences.values()) sequence.dispose();
    this.#left = new Map();
  }
}
