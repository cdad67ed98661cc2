import type { AttentionResult } from '@jit-attention/core';

import { assertClose } from '../../../src/compare.js';
import { headsOf, placesOf, type Problem, tokensOf } from './problem.js';
import { readKey, type Reads, readsOf } from './reads.js';

/** What all calls of one way through a case gave, put together. */
export class Transcript {
  readonly #way: string;
  readonly #problem: Problem;
  readonly #output: Float32Array;
  readonly #reads: Reads = new Map();

  constructor(way: string, problem: Problem) {
    this.#way = way;
    this.#problem = problem;
    const { lengths, valueDim } = problem;
    const size = lengths.length * headsOf(problem) * tokensOf(problem) * valueDim;
    this.#output = new Float32Array(size);
  }

  /** Takes the result of a call whose queries are tokens `start[row] … start[row] + counts[row] - 1`. */
  async add(
    { output, plan }: AttentionResult,
    start: readonly number[],
    counts: readonly number[],
  ): Promise<void> {
    const { valueDim, kvHeads } = this.#problem;
    const [data] = await Promise.all([output.data(), plan && readsOf(plan, kvHeads, this.#reads)]);
    const [heads, tokens, queries] = [
      headsOf(this.#problem),
      tokensOf(this.#problem),
      output.shape[2],
    ];
    for (const [row, count] of counts.entries()) {
      for (let head = 0; head < heads; head++) {
        const from = (row * heads + head) * queries * valueDim;
        const to = ((row * heads + head) * tokens + start[row]) * valueDim;
        const end = from + queries * valueDim;
        this.#output.set(data.subarray(from, from + count * valueDim), to);
        this.#assertZeros(data.subarray(from + count * valueDim, end));
      }
    }
  }

  /** Holds the output, `[batch, heads, tokens, valueDim]`, padding zero, to a formula's. */
  assertOutput(expected: Float64Array, tolerance: number): void {
    assertClose(this.#way, this.#output, expected, { tolerance });
  }

  /** Holds what one branch read to a formula's sets of entries. */
  assertReads(branch: number, expected: ReadsFormula): void {
    for (const { row, kvHead, head, position } of placesOf(this.#problem)) {
      if (head % this.#problem.group !== 0) continue;
      const key = readKey(branch, row, kvHead, position);
      const [actual, wanted] = [this.#reads.get(key), expected({ row, kvHead, position })];
      if (!wanted || actual?.join() === wanted.join()) continue;
      throw new Error(
        `${this.#way}: ${key}: expected entries ${wanted.join()}, got ${actual?.join()}`,
      );
    }
  }

  #assertZeros(padding: Float32Array): void {
    const wrong = padding.find((value) => value !== 0);
    if (wrong !== undefined)
      throw new Error(`${this.#way}: expected zeros for padded queries, got ${wrong}`);
  }
}

/** The entries a kv head reads for a query, ascending; undefined: not to be compared (too close a choice). */
export type ReadsFormula = (place: {
  row: number;
  kvHead: number;
  position: number;
}) => readonly number[] | undefined;
