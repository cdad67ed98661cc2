import { type Candidate, labelOf } from '../candidates/candidate.js';
import { count } from '../format.js';
import { queriesIn } from '../measure/runs.js';
import type { Overview } from '../overview.js';
import type { Environment } from '../output/results.js';
import { type Group, summariesOf, type Summary } from '../summary.js';
import { type Html, html } from './html.js';
import { isOf, type Series } from './series.js';

/** What every section of the page is written from. */
export interface Report {
  readonly overview: Overview;
  readonly environment: Environment;
  readonly group: Group;
  readonly series: readonly Series[];
  /** One budget of each kind of strategy, to tell the story with. */
  readonly shown: readonly Candidate[];
}

export function titleOf({ environment, group }: Report): string {
  return `How much of its past must ${environment.model} read? ${count(group.tokens)} tokens of ${environment.text}`;
}

/** Summaries of the candidates that the story is told with. */
export function shownSummaries({ group, shown }: Report): Summary[] {
  const labels = shown.map(labelOf);
  return summariesOf(group).filter(({ candidate }) => labels.includes(labelOf(candidate)));
}

export function legend(entries: readonly (readonly [text: string, colour: string])[]): Html {
  return html`<ul class="legend">
    ${entries.map(
      ([text, colour]) =>
        html`<li><span class="swatch" style="--colour: ${colour}"></span>${text}</li>`,
    )}
  </ul>`;
}

export function colourOf({ series }: Report, candidate: Candidate): string {
  return series.find((one) => isOf(one, candidate))!.colour;
}

export function layersOf({ measurements }: Group): number[] {
  return [...new Set(measurements.map(({ input }) => input.layer))];
}

/** Queries measured in each layer. */
export function queriesOf({ measurements }: Group): number {
  return queriesIn(measurements[0].runs);
}
