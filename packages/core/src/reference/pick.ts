import type { Pick } from '../select.js';
import { floats } from './storage.js';

/** Unit scores of one row; units that are not eligible are invisible or no candidates. */
export interface Scored {
  readonly scores: Float64Array;
  readonly eligible: Uint8Array;
}

/** Ids of the picked units, ascending; `forced` ones are in and counted. */
export function pickUnits(
  { scores, eligible }: Scored,
  pick: Pick,
  forced: readonly number[],
): number[] {
  const isForced = new Set(forced);
  const others: number[] = [];
  for (let unit = 0; unit < scores.length; unit++)
    if (eligible[unit] && !isForced.has(unit)) others.push(unit);
  const room = (pick.kind === 'topk' ? pick.k : pick.capacity) - forced.length;
  const wanted = Math.min(room, count(pick, { scores, eligible }, others, forced));
  return [...forced, ...best(scores, others, wanted)].sort((a, b) => a - b);
}

/** How many units besides the forced ones the pick asks for. */
function count(
  pick: Pick,
  { scores, eligible }: Scored,
  others: readonly number[],
  forced: readonly number[],
): number {
  if (pick.kind === 'topk') return others.length;
  if (pick.kind === 'threshold') return others.filter((unit) => scores[unit] >= pick.min).length;
  if (pick.p >= 1) return others.length;
  // What is forced but no candidate, or beyond what this row sees, weighs nothing.
  const mass = (units: readonly number[]): number =>
    units.reduce((sum, unit) => sum + (eligible[unit] ? scores[unit] : 0), 0);
  let kept = mass(forced);
  const wanted = pick.p * (kept + mass(others));
  const descending = floats(others.length, (i) => scores[others[i]])
    .sort()
    .reverse();
  let units = 0;
  while (kept < wanted && units < descending.length) kept += descending[units++];
  return units;
}

/** The `wanted` best of these units, ties to the lower id. */
function best(scores: Float64Array, units: readonly number[], wanted: number): readonly number[] {
  if (wanted >= units.length) return units;
  if (wanted <= 0) return [];
  const limit = floats(units.length, (i) => scores[units[i]]).sort()[units.length - wanted];
  const above = units.filter((unit) => scores[unit] > limit);
  const level = units.filter((unit) => scores[unit] === limit);
  return [...above, ...level.slice(0, wanted - above.length)];
}
