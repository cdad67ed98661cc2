import type { Pick } from '@jit-attention/core';

import { range } from '../array.js';
import type { Choice, ListChoice } from './select.js';

/**
 * Holds the ids of one list to what they were to be picked from. Scores may be off by `gap`: what is better than
 * the worst that had to be in by more must be in, what is worse than the last that could be in by more must be out.
 * With a gap of 0 the ids are fixed, ties to the lower one.
 *
 * @throws {Error}
 */
export function assertPicked(
  what: string,
  ids: readonly number[],
  { choices, forced }: ListChoice,
  pick: Pick,
  gap: number,
): void {
  const limits = choices.map((choice) => limitsOf(choice, forced, pick, gap));
  const must = new Set([...forced, ...limits.flatMap((one) => one.must)]);
  const may = new Set([...forced, ...limits.flatMap((one) => one.may)]);
  const missing = [...must].filter((id) => !ids.includes(id));
  const strange = ids.filter((id) => !may.has(id));
  const fail = (message: string): never => {
    throw new Error(`${what}: ${message}; got ${ids.join()} of scores ${describe(choices)}`);
  };
  if (missing.length > 0) fail(`expected ids ${missing.join()} as well`);
  if (strange.length > 0) fail(`expected no ids ${strange.join()}`);
  if (ids.some((id, i) => i > 0 && id <= ids[i - 1])) fail('expected ascending ids');
  if (choices.length > 1) return;
  const [{ least, most }] = limits;
  const others = ids.length - forced.length;
  if (others < least || others > most) fail(`expected ${least} to ${most} ids besides the forced`);
}

interface Limits {
  readonly must: readonly number[];
  readonly may: readonly number[];
  /** How many, besides the forced. */
  readonly least: number;
  readonly most: number;
}

function limitsOf(
  { scores, eligible }: Choice,
  forced: readonly number[],
  pick: Pick,
  gap: number,
): Limits {
  const others = range(0, scores.length)
    .filter((unit) => eligible[unit] && !forced.includes(unit))
    .sort((a, b) => scores[b] - scores[a] || a - b);
  const room = (pick.kind === 'topk' ? pick.k : pick.capacity) - forced.length;
  const ranked = others.map((unit) => scores[unit]);
  // A forced unit that this row does not see weighs nothing.
  const kept = forced.reduce((sum, unit) => sum + (eligible[unit] ? scores[unit] : 0), 0);
  const count = (slack: number): number => Math.min(room, wanted(pick, ranked, kept, slack));
  const [least, most] = [count(-gap), count(gap)];
  const isSafe = (unit: number): boolean => scores[unit] > (ranked[least] ?? -Infinity) + gap;
  const isOpen = (unit: number): boolean => scores[unit] >= (ranked[most - 1] ?? Infinity) - gap;
  if (gap === 0) return { must: others.slice(0, least), may: others.slice(0, most), least, most };
  return {
    must: others.slice(0, least).filter((unit) => least === others.length || isSafe(unit)),
    may: others.filter(isOpen),
    least,
    most,
  };
}

/** How many of the ranked scores are asked for, when scores are off by `slack` in favour of more. */
function wanted(pick: Pick, ranked: readonly number[], kept: number, slack: number): number {
  if (pick.kind === 'topk') return ranked.length;
  if (pick.kind === 'threshold') return ranked.filter((score) => score >= pick.min - slack).length;
  if (pick.p >= 1) return ranked.length;
  const total = kept + ranked.reduce((sum, score) => sum + score, 0);
  let mass = kept;
  let count = 0;
  while (mass < pick.p * total + slack && count < ranked.length) mass += ranked[count++];
  return count;
}

function describe(choices: readonly Choice[]): string {
  return choices
    .map(({ scores, eligible }) =>
      scores.map((score, unit) => (eligible[unit] ? score.toPrecision(7) : '-')).join(' '),
    )
    .join(' | ');
}
