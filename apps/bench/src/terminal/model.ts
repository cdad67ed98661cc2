import pc from 'picocolors';

import { count, percent, plural } from '../format.js';
import { figuresOf, pooled } from '../model-bench/figures.js';
import type { ModelPlan } from '../model-bench/plan.js';
import type { Quality } from '../model-bench/quality.js';
import type { ModelRun } from '../model-bench/run.js';
import type { Estimate } from '../model-bench/statistics.js';
import { budgetText, nameOf } from '../model-bench/variants.js';
import { figureTable, type Measured, printRows } from './suite.js';
import { plainTable } from './table.js';

/** Quality by context, speed by case, then all figures, each beside its target. */
export function printModel(run: ModelRun, print: (text: string) => void): void {
  const { plan, qualities, speeds } = run;
  printQuality(plan, qualities, print);
  printRows(speeds.filter(hasMore), print);
  print(`${pc.bold('Figures and targets')}\n\n${figureTable(figuresOf(run), plan.quick)}\n`);
  if (speeds.length > 0)
    print(
      `times: medians of ${plural(plan.speed.rounds, 'round')} in which all take turns, on ${plural(plan.speed.threads, 'thread')} each`,
    );
  if (plan.quick) print(pc.yellow('--quick: the targets are for contexts of full length'));
}

/** What is compared and not timed is told by its figures, unless it failed. */
function hasMore({ rows }: Measured): boolean {
  return rows.some(({ metrics, error }) => metrics.ms !== null || error !== undefined);
}

/** A table for each length of context. */
function printQuality(
  { subject, tasks }: ModelPlan,
  qualities: readonly Quality[],
  print: (text: string) => void,
): void {
  for (const tokens of tasks.contexts) {
    const rows = qualities.filter((quality) => quality.tokens === tokens);
    if (rows.length === 0) continue;
    const name = `${subject.model.charAt(0).toUpperCase()}${subject.model.slice(1)}`;
    print(`\n${pc.bold(`${name}, ${subject.textName}: ${count(tokens)} tokens of context`)}`);
    print(`${pc.dim(casesOf(rows[0]))}\n\n${qualityTable(rows)}\n`);
    for (const { variant, error } of rows)
      if (error !== undefined)
        print(pc.red(`${nameOf(variant)} ${budgetText(variant)} failed: ${error}`));
  }
}

/** The number of cases behind the figures of a table. */
function casesOf({ perplexity, needles }: Quality): string {
  const parts = [
    perplexity &&
      `perplexity of ${count(perplexity.cases)} predictions; KL of ${count(perplexity.compared)} distributions`,
    needles && `${count(pooled(needles).cases)} codes asked for`,
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

const HEAD = ['strategy', 'budget', 'density', 'perplexity', 'change', 'KL, nats', 'codes found'];

function qualityTable(rows: readonly Quality[]): string {
  const table = plainTable([...HEAD, '95 % interval']);
  rows.forEach((row, i) => table.push(cellsOf(row, rows[i - 1])));
  return table.toString();
}

function cellsOf(quality: Quality, before: Quality | undefined): string[] {
  const { variant, density, perplexity, needles, error } = quality;
  const name = nameOf(variant);
  const found = needles && pooled(needles);
  return [
    before && nameOf(before.variant) === name ? '' : pc.bold(name),
    budgetText(variant),
    error === undefined ? percent(density) : pc.red('failed'),
    perplexity?.perplexity.value.toFixed(2) ?? '–',
    perplexity && variant.budget !== undefined ? changeText(perplexity.change) : '–',
    perplexity && variant.budget !== undefined ? perplexity.divergence.value.toFixed(4) : '–',
    found ? `${found.found} of ${found.cases}` : '–',
    found ? `${percent(found.share.low)} to ${percent(found.share.high)}` : '–',
  ];
}

/** `+0.8 % ± 0.3 %`. */
export function changeText({ value, low, high }: Estimate): string {
  const text = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return `${value < 0 ? '−' : '+'}${text(Math.abs(value))} ± ${text((high - low) / 2)}`;
}
