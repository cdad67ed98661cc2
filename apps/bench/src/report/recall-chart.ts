import * as Plot from '@observablehq/plot';

import type { Measurement } from '../measure/layer.js';
import { MIN_RECALL_P5 } from '../recommend.js';
import type { Group } from '../summary.js';
import type { Html } from './html.js';
import { draw } from './plot.js';
import { isOf, type Series } from './series.js';

interface Point {
  readonly density: number;
  readonly mean: number;
  readonly p5: number;
}

/** Recall against density in one layer: a line through the budgets of each strategy, dashed for the 5th percentile. */
export function recallChart(layer: number, group: Group, series: readonly Series[]): Html {
  const measurements = group.measurements.filter(({ input }) => input.layer === layer);
  const lines = series.map((one) => ({
    colour: one.colour,
    points: measurements
      .filter(({ candidate }) => isOf(one, candidate))
      .flatMap(pointOf)
      .sort((a, b) => a.density - b.density),
  }));
  return draw(`Recall against density in layer ${layer}`, {
    height: 300,
    marginLeft: 44,
    marginBottom: 40,
    x: { label: 'entries read, share of all →', domain: [0, 1], tickFormat: '%', ticks: 5 },
    y: {
      label: '↑ attention that was read',
      domain: [0, 1],
      tickFormat: '%',
      grid: true,
      ticks: 5,
    },
    marks: [
      Plot.ruleY([MIN_RECALL_P5], {
        stroke: 'currentColor',
        strokeOpacity: 0.45,
        strokeDasharray: '1 3',
      }),
      ...lines.flatMap(({ colour, points }) => [
        Plot.lineY(points, {
          x: 'density',
          y: 'p5',
          stroke: colour,
          strokeDasharray: '4 3',
          strokeOpacity: 0.8,
        }),
        Plot.dot(points, { x: 'density', y: 'p5', stroke: colour, r: 3, fill: 'var(--page)' }),
        Plot.lineY(points, { x: 'density', y: 'mean', stroke: colour, strokeWidth: 2 }),
        Plot.dot(points, { x: 'density', y: 'mean', fill: colour, r: 3.5 }),
      ]),
    ],
  });
}

function pointOf({ quality }: Measurement): Point[] {
  if (!quality?.recall) return [];
  return [{ density: quality.density, mean: quality.recall.mean, p5: quality.recall.p5 }];
}
