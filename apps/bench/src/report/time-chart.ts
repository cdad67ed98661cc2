import * as Plot from '@observablehq/plot';
import { mean } from 'simple-statistics';

import { type Candidate, labelOf } from '../candidates/candidate.js';
import type { Group } from '../summary.js';
import type { Html } from './html.js';
import { draw } from './plot.js';
import { isOf, type Series } from './series.js';

interface Point {
  readonly tokens: number;
  /** Milliseconds a query and layer. */
  readonly ms: number;
}

/** The time of a query against how much there is to read before it, a line a candidate. */
export function timeChart(
  group: Group,
  candidates: readonly Candidate[],
  series: readonly Series[],
): Html {
  const lines = candidates.map((candidate) => ({
    colour: series.find((one) => isOf(one, candidate))!.colour,
    points: pointsOf(group, candidate),
  }));
  return draw('Time of a query against tokens of context', {
    height: 300,
    marginLeft: 52,
    marginBottom: 40,
    x: { label: 'tokens before the query →', domain: [0, group.tokens], ticks: 5 },
    y: { label: '↑ milliseconds a query', zero: true, grid: true, ticks: 5, nice: true },
    marks: lines.flatMap(({ colour, points }) => [
      Plot.lineY(points, { x: 'tokens', y: 'ms', stroke: colour, strokeWidth: 2 }),
      Plot.dot(points, { x: 'tokens', y: 'ms', fill: colour, r: 3.5 }),
    ]),
  });
}

/** A point for each run of consecutive queries, at their middle; the mean over the layers. */
function pointsOf({ measurements }: Group, candidate: Candidate): Point[] {
  const timed = measurements.filter(
    (one) => one.timing && labelOf(one.candidate) === labelOf(candidate),
  );
  return (timed[0]?.runs ?? []).map(({ start, count }, run) => ({
    tokens: start + count / 2,
    ms: mean(timed.map(({ timing }) => timing!.runs[run])) / count,
  }));
}
