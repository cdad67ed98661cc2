import * as Plot from '@observablehq/plot';

import type { Quality } from '../../model-bench/quality.js';
import { wilson } from '../../model-bench/statistics.js';
import { pooled } from '../../model-bench/figures.js';
import { entriesOf, nameOf } from '../../model-bench/variants.js';
import { OUTSIDE } from '../../model-bench/speed/contenders.js';
import type { ResultRow } from '../../output/results.js';
import type { Html } from '../html.js';
import { draw } from '../plot.js';
import type { Series } from '../series.js';

interface Point {
  readonly budget: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How a chart by budget is drawn. */
interface Scale {
  readonly label: string;
  readonly y: Plot.ScaleOptions;
  /** Where dense attention is. */
  readonly dense: number;
}

/** Change of perplexity against the budget at one context, in per cent. */
export function perplexityChart(rows: readonly Quality[], series: readonly Series[]): Html {
  const pointOf = ({ perplexity }: Quality): Omit<Point, 'budget'> | undefined =>
    perplexity && {
      ...{ value: 100 * perplexity.change.value, low: 100 * perplexity.change.low },
      high: 100 * perplexity.change.high,
    };
  return byBudget(
    rows,
    { series, pointOf },
    {
      label: 'Perplexity against budget',
      y: { label: '↑ perplexity, % above dense', nice: true },
      dense: 0,
    },
  );
}

/** Share of the codes that were found, against the budget at one context. */
export function retrievalChart(rows: readonly Quality[], series: readonly Series[]): Html {
  const pointOf = ({ needles }: Quality): Omit<Point, 'budget'> | undefined =>
    needles && pooled(needles).share;
  const dense = rows.find(({ variant }) => variant.budget === undefined)?.needles;
  return byBudget(
    rows,
    { series, pointOf },
    {
      label: 'Codes found against budget',
      y: { label: '↑ codes found', domain: [0, 1], tickFormat: '%' },
      dense: dense ? pooled(dense).share.value : 1,
    },
  );
}

interface Lines {
  readonly series: readonly Series[];
  readonly pointOf: (quality: Quality) => Omit<Point, 'budget'> | undefined;
}

function byBudget(rows: readonly Quality[], { series, pointOf }: Lines, scale: Scale): Html {
  const lines = series.map(({ name, colour }) => ({
    colour,
    points: rows
      .filter(({ variant }) => variant.budget !== undefined && nameOf(variant) === name)
      .flatMap((quality): Point[] => {
        const point = pointOf(quality);
        return point ? [{ ...point, budget: entriesOf(quality.variant, quality.tokens)! }] : [];
      })
      .sort((a, b) => a.budget - b.budget),
  }));
  const budgets = lines.flatMap(({ points }) => points.map(({ budget }) => budget));
  const [least, most] = [Math.min(...budgets), Math.max(...budgets)];
  return draw(scale.label, {
    ...{ height: 300, marginLeft: 52, marginBottom: 40 },
    x: {
      type: 'log',
      label: 'entries a query may read →',
      domain: [least, most],
      // One beyond the axis would be drawn all the same, over the next chart.
      ticks: [64, 128, 256, 512, 1024].filter((tick) => tick >= least && tick <= most),
      tickFormat: 'd',
    },
    y: { grid: true, ticks: 5, ...scale.y },
    marks: [
      Plot.ruleY([scale.dense], { stroke: 'var(--series-0)', strokeWidth: 2 }),
      ...lines.flatMap(({ colour, points }) => [
        Plot.ruleX(points, {
          x: 'budget',
          y1: 'low',
          y2: 'high',
          stroke: colour,
          strokeOpacity: 0.4,
        }),
        Plot.lineY(points, { x: 'budget', y: 'value', stroke: colour, strokeWidth: 2 }),
        Plot.dot(points, { x: 'budget', y: 'value', fill: colour, r: 3.5 }),
      ]),
    ],
  });
}

/** Codes found by depth (downwards) and context (to the right) of one variant. */
export function retrievalMap(label: string, rows: readonly Quality[]): Html {
  const cells = rows.flatMap(({ tokens, needles = [] }) =>
    needles.map(({ depth, found, cases }) => ({
      ...{ tokens: tokens.toLocaleString('en'), depth: `${Math.round(100 * depth)} %` },
      ...{ share: wilson(found, cases).value, text: `${found}/${cases}` },
    })),
  );
  return draw(label, {
    ...{ height: 270, marginLeft: 48, marginBottom: 40, marginTop: 26 },
    x: {
      type: 'band',
      label: 'tokens of context →',
      domain: [...new Set(cells.map((one) => one.tokens))],
    },
    y: {
      type: 'band',
      label: '↓ depth of the code',
      labelAnchor: 'top',
      labelArrow: 'none',
      domain: [...new Set(cells.map((one) => one.depth))],
    },
    marks: [
      Plot.cell(cells, {
        ...{ x: 'tokens', y: 'depth', inset: 1 },
        fill: ({ share }: { share: number }) =>
          `color-mix(in srgb, var(--good) ${Math.round(100 * share)}%, var(--missed))`,
        fillOpacity: 0.75,
      }),
      Plot.text(cells, { x: 'tokens', y: 'depth', text: 'text', className: 'cell-text' }),
    ],
  });
}

/** Milliseconds a token against the context. */
export function decodeChart(rows: readonly ResultRow[], series: readonly Series[]): Html {
  const lines = series.map(({ name, colour }) => ({
    colour,
    points: rows.flatMap(({ tokens, metrics, ...row }) =>
      decoderOf(row) === name && metrics.ms !== null ? [{ tokens, ms: metrics.ms }] : [],
    ),
  }));
  return draw('Time of a token against the tokens before it', {
    ...{ height: 300, marginLeft: 52, marginBottom: 40 },
    x: { label: 'tokens before it →', zero: true, ticks: 5 },
    y: { label: '↑ milliseconds a token', zero: true, grid: true, ticks: 5, nice: true },
    marks: lines.flatMap(({ colour, points }) => [
      Plot.lineY(points, { x: 'tokens', y: 'ms', stroke: colour, strokeWidth: 2 }),
      Plot.dot(points, { x: 'tokens', y: 'ms', fill: colour, r: 3.5 }),
    ]),
  });
}

/** What a row of decoding is called in the chart and its legend. */
export function decoderOf(
  row: Pick<ResultRow, 'implementation' | 'strategy' | 'budget' | 'case'>,
): string {
  if (row.implementation !== 'jit-attention') return `uncut, ${row.implementation}`;
  if (row.case.endsWith(OUTSIDE)) return `adopted, dense: ${OUTSIDE}`;
  return row.budget === null ? 'adopted, dense' : `adopted, top-k pages, ${row.budget} entries`;
}
