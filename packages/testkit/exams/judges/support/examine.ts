import type { AttentionResult } from '@jit-attention/core';

import { withoutLeaks } from '../../../src/backends.js';
import { Bench } from '../../../src/backend/bench.js';
import type { Ground } from './ground.js';
import { type Inputs, mapInputs, noise } from './inputs.js';
import { type Problem, tokensOf } from './problem.js';
import { uniformFor } from './random.js';
import {
  attentionsOf,
  type Call,
  cutInputs,
  cutRunInputs,
  type LayerSpec,
  SequenceStack,
  Stack,
} from './stack.js';
import { type ReadsFormula, Transcript } from './transcript.js';

/** A layer and the straight formula that it is held to. */
export interface LayerExam extends LayerSpec {
  /** `[batch, heads, tokens, valueDim]`, padding zero; see `everyQuery`. */
  readonly output: Float64Array;
  /** For each branch of the plan, the entries it reads, where that is to be compared. */
  readonly reads?: readonly (ReadsFormula | undefined)[] | undefined;
}

/**
 * Runs a strategy, or a stack of layers, in several ways and holds each to the same formula: one `run`; two of
 * them, the second with fewer queries than keys; calls of a sequence that bring uneven numbers of tokens; a token at
 * a time; with mistakes that are taken back by `truncate`; with forks that go astray. Nothing may leak.
 *
 * A case goes through one `run` and two of the other ways, which its seed picks.
 */
export async function examine(
  { backend, tolerance }: Ground,
  problem: Problem,
  ...layers: LayerExam[]
): Promise<void> {
  const bench = new Bench(backend);
  const attentions = attentionsOf(bench, problem, layers);
  const [run, ...others] = Object.keys(WAYS);
  for (const name of [run, ...pick(others, problem.seed)]) {
    const transcripts = layers.map((_, i) => new Transcript(`${name}, layer ${i}`, problem));
    const exam = { problem, layers, attentions, transcripts };
    await withoutLeaks(backend, () => WAYS[name](exam));
    layers.forEach(({ output, reads = [] }, i) => {
      transcripts[i].assertOutput(output, tolerance);
      reads.forEach((formula, branch) => formula && transcripts[i].assertReads(branch, formula));
    });
  }
  bench.clear();
}

/** Two different ones, all pairs equally often. */
function pick(names: readonly string[], seed: number): string[] {
  const next = uniformFor(seed, 'ways');
  const first = Math.floor(names.length * next());
  const second = first + 1 + Math.floor((names.length - 1) * next());
  return [names[first], names[second % names.length]];
}

interface Exam {
  readonly problem: Problem;
  readonly layers: readonly LayerExam[];
  readonly attentions: ReturnType<typeof attentionsOf>;
  readonly transcripts: readonly Transcript[];
}

type Way = (exam: Exam) => Promise<void>;

const WAYS: Readonly<Record<string, Way>> = {
  run: (exam) => runs(exam, [tokensOf(exam.problem)]),
  'two runs': (exam) => runs(exam, [Math.ceil(tokensOf(exam.problem) / 2), Infinity]),
  chunks: (exam) => sequence(exam, uneven(exam.problem), (stack) => stack),
  decode: (exam) =>
    sequence(
      exam,
      steps(exam.problem, () => 1),
      (stack) => stack,
    ),
  'taken back': (exam) => sequence(exam, uneven(exam.problem), (stack) => takeBack(exam, stack)),
  forked: (exam) => sequence(exam, uneven(exam.problem), (stack, i) => astray(exam, stack, i)),
};

/** One shot for each piece; pieces of all rows begin at the same token, as the queries are the last of the keys. */
async function runs({ problem, layers, attentions, transcripts }: Exam, sizes: number[]) {
  const batch = problem.lengths.length;
  const stack = new Stack(layers, (inputs, i) => attentions[i].run({ ...inputs, batch }));
  let size = 0;
  for (const call of steps(problem, (_, i) => sizes[i])) {
    size = Math.max(...call.start, size);
    const aligned = { start: call.start.map(() => size), counts: call.counts };
    const ends = call.counts.map((count, row) => (count > 0 ? size + count : call.start[row]));
    const cut = layers.map(({ inputs }) => cutRunInputs(inputs, aligned));
    await record(transcripts, await stack.call(cut, ends), aligned);
  }
  stack.dispose();
}

/** Calls of a sequence; `before` each, something may happen that must not matter. */
async function sequence(
  { problem, layers, attentions, transcripts }: Exam,
  calls: readonly Call[],
  before: (stack: SequenceStack, call: number) => SequenceStack | Promise<SequenceStack>,
) {
  const batch = problem.lengths.length;
  let stack = new SequenceStack(
    layers,
    attentions.map((attention) => attention.sequence({ batch })),
  );
  for (const [i, call] of calls.entries()) {
    stack = await before(stack, i);
    const cut = layers.map(({ inputs }) => cutInputs(inputs, call));
    await record(transcripts, await stack.call(cut, call.counts), call);
  }
  stack.dispose();
}

async function record(transcripts: readonly Transcript[], results: AttentionResult[], call: Call) {
  await Promise.all(
    results.map((result, i) => transcripts[i].add(result, call.start, call.counts)),
  );
  for (const result of results) result.dispose();
}

/** A step in the wrong direction, as far as `rollback` allows, and back. */
async function takeBack(exam: Exam, stack: SequenceStack): Promise<SequenceStack> {
  const lengths = [...stack.lengths];
  await goWrong(exam, stack, exam.problem.rollback);
  stack.truncate(lengths);
  return stack;
}

/** Parent and fork in turns: one goes wrong and ends, the other goes on. */
async function astray(exam: Exam, stack: SequenceStack, call: number): Promise<SequenceStack> {
  const fork = stack.fork();
  const [lost, kept] = call % 2 === 0 ? [stack, fork] : [fork, stack];
  await goWrong(exam, lost, 3);
  lost.dispose();
  return kept;
}

async function goWrong({ problem, layers }: Exam, stack: SequenceStack, tokens: number) {
  const next = uniformFor(problem.seed, 'wrong');
  const batch = problem.lengths.length;
  const wrong = layers.map(({ inputs }): Inputs =>
    mapInputs(inputs, (rows) => noise(rows, batch, tokens, next)),
  );
  const results = await stack.call(wrong, new Array<number>(batch).fill(tokens), { forget: true });
  for (const result of results) result.dispose();
}

/** Calls that bring 0 to 7 tokens of each row. */
export function uneven(problem: Problem): Call[] {
  const next = uniformFor(problem.seed, 'pieces');
  return steps(problem, () => Math.floor(8 * next()));
}

/** Cuts a case into calls; those that would bring nothing are left out. */
export function steps(problem: Problem, size: (row: number, call: number) => number): Call[] {
  const calls: Call[] = [];
  let start: readonly number[] = problem.lengths.map(() => 0);
  for (let i = 0; start.some((at, row) => at < problem.lengths[row]); i++) {
    const from = start;
    const counts = problem.lengths.map((length, row) => Math.min(length - from[row], size(row, i)));
    if (Math.max(...counts) > 0) calls.push({ start, counts });
    start = counts.map((count, row) => from[row] + count);
  }
  return calls;
}
