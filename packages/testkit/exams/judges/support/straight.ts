import fc from 'fast-check';

import { type Inputs, type Matrix, matrix } from './inputs.js';
import { headsOf, type Place, placesOf, type Problem, tokensOf } from './problem.js';

/** A case is left out where a smaller gap between scores decides: f32 may see it the other way round. */
export const GAP = 1e-5;

/** Formulas in plain loops, to hold strategies and backends to. */
export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** `Σ weights[i] * rows[i]`, `width` channels; zeros for no rows. */
export function weighted(weights: readonly number[], rows: Matrix, width: number): number[] {
  return Array.from({ length: width }, (_, channel) =>
    sum(weights.map((weight, i) => weight * rows[i][channel])),
  );
}

/** `log Σ e^logit`; -Infinity for none. */
export function logSumExp(logits: readonly number[]): number {
  if (logits.length === 0) return -Infinity;
  const max = Math.max(...logits);
  return max + Math.log(sum(logits.map((logit) => Math.exp(logit - max))));
}

export function softmax(logits: readonly number[]): number[] {
  const total = logSumExp(logits);
  return logits.map((logit) => Math.exp(logit - total));
}

/** Attention of one query to the listed entries, each once. Zeros for none. */
export function attendTo(
  ids: Iterable<number>,
  spec: { query: readonly number[]; keys: Matrix; values: Matrix; scale: number; width: number },
): number[] {
  const read = [...new Set(ids)];
  const logits = read.map((id) => spec.scale * dot(spec.query, spec.keys[id]));
  return weighted(
    softmax(logits),
    read.map((id) => spec.values[id]),
    spec.width,
  );
}

/** The output of a case, `[batch, heads, tokens, valueDim]`, a query at a time; padding is zeros. */
export function everyQuery(
  problem: Problem,
  answer: (place: Place) => readonly number[],
): Float64Array {
  const { lengths, valueDim } = problem;
  const [heads, tokens] = [headsOf(problem), tokensOf(problem)];
  const output = new Float64Array(lengths.length * heads * tokens * valueDim);
  for (const place of placesOf(problem)) {
    const { row, head, position } = place;
    output.set(answer(place), ((row * heads + head) * tokens + position) * valueDim);
  }
  return output;
}

/** Whole numbers `[start, end)`. */
export function span(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

/** `Math.round`; a case is left out where f32, which is off by so little before, may round to the other side. */
export function clearRound(value: number): number {
  fc.pre(Math.abs(value - Math.floor(value) - 0.5) > 5e-5);
  return Math.round(value);
}

export interface Best {
  readonly ids: number[];
  /** Score of the worst that is in less that of the best that is out; Infinity when nothing is out. */
  readonly gap: number;
}

/** The `k` best of the candidates by score, ties to the lower id, `forced` first and counted; ascending. */
export function best(
  score: (id: number) => number,
  candidates: readonly number[],
  k: number,
  forced: readonly number[] = [],
): Best {
  const always = candidates.filter((id) => forced.includes(id));
  const others = candidates
    .filter((id) => !always.includes(id))
    .map((id) => ({ id, score: score(id) }))
    .sort((a, b) => b.score - a.score || a.id - b.id);
  const room = Math.max(0, k - always.length);
  const [last, next] = [others[room - 1], others[room]];
  return {
    ids: [...always, ...others.slice(0, room).map(({ id }) => id)].sort((a, b) => a - b),
    gap: last && next ? last.score - next.score : Infinity,
  };
}

/**
 * The choice; the case is left out if it hangs on rounding ({@link GAP}). An exact tie does not, unless the scores
 * are summed in another order than a backend would (`ties: false`).
 */
export function clear({ ids, gap }: Best, { ties = true }: { ties?: boolean } = {}): number[] {
  fc.pre((ties && gap === 0) || gap > GAP);
  return ids;
}

/** What one query gets from the listed entries of its own layer's keys and values. */
export function attendCache(
  problem: Problem,
  { query, key, value }: Inputs,
  { row, head, kvHead, position }: Place,
  ids: Iterable<number>,
): number[] {
  return attendTo(ids, {
    query: matrix(query, problem, row, head)[position],
    keys: matrix(key, problem, row, kvHead),
    values: matrix(value ?? key, problem, row, kvHead),
    scale: problem.headDim ** -0.5,
    width: problem.valueDim,
  });
}
