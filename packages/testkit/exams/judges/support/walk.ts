import type { Attention, AttentionResult } from '@jit-attention/core';

import { type Inputs, mapInputs, noise } from './inputs.js';
import { type Problem, tokensOf } from './problem.js';
import { uniformFor } from './random.js';
import { type Call, cutInputs, type LayerSpec, SequenceStack } from './stack.js';
import { Transcript } from './transcript.js';

/** Cuts a case into calls that bring `size` tokens of each row, as long as it has some. */
export function callsOf(problem: Problem, size: number): Call[] {
  return Array.from({ length: Math.ceil(tokensOf(problem) / size) }, (_, i) => ({
    start: problem.lengths.map((length) => Math.min(length, i * size)),
    counts: problem.lengths.map((length) => Math.max(0, Math.min(length - i * size, size))),
  }));
}

/**
 * Plays calls on a sequence the crooked way: it takes calls back and repeats them, takes wrong ones back, and
 * leaves forks that have gone wrong behind. What it hands back must be as if it had gone straight.
 */
export async function walk(
  attention: Attention,
  problem: Problem,
  layer: LayerSpec,
  calls: readonly Call[],
): Promise<Transcript> {
  const walker = new Walker(attention, problem, layer);
  for (let i = 0; i < calls.length;) {
    await walker.stray();
    await walker.play(calls[i++]);
    while (i > 0 && walker.mayGoBack(calls[i - 1])) walker.goBack(calls[--i]);
  }
  walker.dispose();
  return walker.transcript;
}

class Walker {
  readonly transcript: Transcript;
  readonly #problem: Problem;
  readonly #layer: LayerSpec;
  readonly #next: () => number;
  #stack: SequenceStack;
  /** The longest that each row has been: `rollback` counts from there. */
  #longest: readonly number[];

  constructor(attention: Attention, problem: Problem, layer: LayerSpec) {
    const batch = problem.lengths.length;
    this.transcript = new Transcript('walk', problem);
    this.#problem = problem;
    this.#layer = layer;
    this.#next = uniformFor(problem.seed, 'walk');
    this.#stack = new SequenceStack([layer], [attention.sequence({ batch })]);
    this.#longest = this.#stack.lengths;
  }

  async play(call: Call): Promise<void> {
    await this.#attend(cutInputs(this.#layer.inputs, call), call.counts, (result) =>
      this.transcript.add(result, call.start, call.counts),
    );
  }

  /** Half of the time: wrong calls, then either a fork made before goes on, or they are taken back. */
  async stray(): Promise<void> {
    const choice = this.#next();
    if (choice > 0.5) return;
    const [lengths, longest] = [this.#stack.lengths, this.#longest];
    const fork = this.#stack.fork();
    await this.#goWrong();
    if (choice < 0.25) {
      this.#stack.truncate(lengths);
      fork.dispose();
    } else {
      this.#stack.dispose();
      this.#stack = fork;
      this.#longest = longest;
    }
  }

  /** By chance, where `rollback` allows to forget this call. */
  mayGoBack({ start }: Call): boolean {
    const { rollback } = this.#problem;
    const near = start.every((length, row) => length >= this.#longest[row] - rollback);
    return near && this.#next() < 0.4;
  }

  goBack({ start }: Call): void {
    this.#stack.truncate(start);
  }

  dispose(): void {
    this.#stack.dispose();
  }

  /** No more wrong tokens than can be taken back, one or two a call. */
  async #goWrong(): Promise<void> {
    const batch = this.#problem.lengths.length;
    for (let left = Math.ceil(this.#next() * this.#problem.rollback); left > 0;) {
      const tokens = Math.min(left, 1 + Math.floor(2 * this.#next()));
      const wrong = mapInputs(this.#layer.inputs, (rows) => noise(rows, batch, tokens, this.#next));
      await this.#attend(wrong, new Array<number>(batch).fill(tokens));
      left -= tokens;
    }
  }

  async #attend(
    inputs: Inputs,
    counts: readonly number[],
    take?: (result: AttentionResult) => Promise<void>,
  ): Promise<void> {
    const [result] = await this.#stack.call([inputs], counts);
    await take?.(result);
    result.dispose();
    const { lengths } = this.#stack;
    this.#longest = this.#longest.map((length, row) => Math.max(length, lengths[row]));
  }
}
