import type { Tensor } from '@jit-attention/core';
import fc from 'fast-check';

import type { Bench } from '../../../src/backend/bench.js';
import { headsOf, type Problem, problems } from './problem.js';
import { normals, uniformFor } from './random.js';

/** A case for strategies whose entries are keys and values of all heads, and the frequencies of their rope. */
export interface LatentProblem extends Problem {
  readonly frequencies: readonly number[];
}

export function latentProblems(): fc.Arbitrary<LatentProblem> {
  const pairs = fc.integer({ min: 0, max: 2 });
  return fc.tuple(problems({ kvHeads: 1, group: 4 }), pairs).map(([problem, pairs]) => {
    // An RMSNorm of one channel is its sign: nothing but ties.
    const headDim = Math.max(2, problem.headDim, 2 * pairs);
    const frequencies = Array.from({ length: pairs }, (_, i) => 0.3 ** i);
    return { ...problem, headDim, valueDim: Math.min(problem.valueDim, headDim), frequencies };
  });
}

/** Numbers that a model has learned: the same for the strategy and for the formula. */
export function learned(problem: Problem, name: string, ...shape: number[]): Learned {
  const count = shape.reduce((product, length) => product * length, 1);
  return new Learned(shape, normals(count, uniformFor(problem.seed, `learned.${name}`)));
}

export class Learned {
  readonly #shape: readonly number[];
  readonly #data: Float32Array;

  constructor(shape: readonly number[], data: Float32Array) {
    this.#shape = shape;
    this.#data = data;
  }

  on(bench: Bench): Tensor {
    return bench.tensor({ data: this.#data, shape: this.#shape });
  }

  /** The last axis a row. */
  get rows(): number[][] {
    const width = this.#shape.at(-1)!;
    return Array.from({ length: this.#data.length / width }, (_, row) => [
      ...this.#data.subarray(row * width, (row + 1) * width),
    ]);
  }
}

/** One learned logit a head. */
export function sinkLogits(problem: Problem): readonly number[] {
  return learned(problem, 'sinks', headsOf(problem)).rows[0];
}
