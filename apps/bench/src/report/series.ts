import { type Candidate, seriesOf } from '../candidates/candidate.js';
import { summariesOf, type Group } from '../summary.js';

/** A strategy at all its budgets: one line in a chart, one colour in all of them. */
export interface Series {
  readonly name: string;
  /** A CSS colour, a variable of the style sheet. */
  readonly colour: string;
}

/** Colours that the style sheet has. */
const COLOURS = 8;

export function seriesIn(group: Group): Series[] {
  const names = [...new Set(summariesOf(group).map(({ candidate }) => seriesOf(candidate)))];
  return names.map((name, i) => ({ name, colour: `var(--series-${i % COLOURS})` }));
}

export function isOf(series: Series, candidate: Candidate): boolean {
  return seriesOf(candidate) === series.name;
}
