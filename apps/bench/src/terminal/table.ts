import Table from 'cli-table3';
import pc from 'picocolors';

import { labelOf, seriesOf } from '../candidates/candidate.js';
import { count, factor, milliseconds, percent, share } from '../format.js';
import type { Measurement } from '../measure/layer.js';
import { MIN_RECALL_P5 } from '../recommend.js';
import { type Group, summariesOf, type Summary } from '../summary.js';

const HEAD = [
  'strategy',
  'budget',
  'density',
  'time',
  'speed-up',
  'recall',
  'p5, worst layer',
  'output error',
];

/** All layers together, a row for each strategy and budget. */
export function overviewTable(group: Group): string {
  const table = plainTable(HEAD);
  const summaries = summariesOf(group);
  summaries.forEach((summary, i) => table.push(overviewRow(summary, summaries[i - 1])));
  return [table.toString(), ...errorsOf(summaries)].join('\n');
}

function overviewRow(summary: Summary, before: Summary | undefined): string[] {
  const series = seriesOf(summary.candidate);
  return [
    before && seriesOf(before.candidate) === series ? '' : pc.bold(series),
    count(summary.candidate.budget),
    percent(summary.density),
    milliseconds(summary.ms),
    factor(summary.speedUp),
    share(summary.recallMean),
    graded(summary.recallP5),
    summary.error === undefined ? share(summary.outputError) : pc.red('failed'),
  ];
}

/** The recall's 5th percentile, layer by layer: no strategy is best in all of them. */
export function layerTable(group: Group): string {
  const layers = [...new Set(group.measurements.map(({ input }) => input.layer))];
  const table = plainTable(['recall p5', ...layers.map((layer) => `layer ${layer}`)]);
  for (const { candidate, layers: measured } of summariesOf(group)) {
    const cells = layers.map((layer) =>
      graded(p5Of(measured.find((one) => one.input.layer === layer))),
    );
    table.push([labelOf(candidate), ...cells]);
  }
  return table.toString();
}

function p5Of(measurement: Measurement | undefined): number | undefined {
  return measurement?.quality?.recall?.p5;
}

function graded(recall: number | undefined): string {
  const text = share(recall);
  if (recall === undefined) return text;
  return recall >= MIN_RECALL_P5 ? pc.green(text) : pc.yellow(text);
}

function errorsOf(summaries: readonly Summary[]): string[] {
  return summaries
    .filter(({ error }) => error !== undefined)
    .map(({ candidate, error }) => pc.red(`${labelOf(candidate)} failed: ${error}`));
}

/** Columns apart by space alone; the first is text, the others numbers. */
export function plainTable(head: string[]): Table.Table {
  const none = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'];
  const sides = [
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ];
  return new Table({
    head: head.map((text) => pc.dim(text)),
    chars: Object.fromEntries([...none, ...sides].map((name) => [name, ''])),
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 3 },
  });
}
