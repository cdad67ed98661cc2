import pc from 'picocolors';

import { count, factor, milliseconds, percent, plural, share } from '../format.js';
import type { ResultRow } from '../output/results.js';
import { type Case, type Figure, isMet, Rows } from '../race/case.js';
import { plainTable } from './table.js';

/** A case that was run. */
export interface Measured {
  readonly case: Case;
  readonly rows: readonly ResultRow[];
}

interface Run {
  readonly quick: boolean;
  readonly rounds: number;
}

/** The rows of each case, then all figures, each beside its target. */
export function printSuite(
  measured: readonly Measured[],
  { quick, rounds }: Run,
  print: (text: string) => void,
): void {
  printRows(measured, print);
  const figures = measured.flatMap((one) => one.case.figures(new Rows(one.rows)));
  print(`${pc.bold('Figures and targets')}\n\n${figureTable(figures, quick)}\n`);
  print(
    `medians of ${plural(rounds, 'round')} in which all take turns; peers in processes or pages of their own, one CPU thread each unless said`,
  );
  if (quick) print(pc.yellow('--quick: the targets are for contexts of full length'));
}

/** A table for each case. */
export function printRows(measured: readonly Measured[], print: (text: string) => void): void {
  for (const one of measured)
    print(`\n${pc.bold(one.case.title)}\n\n${rowTable(one)}${remarksOf(one)}\n`);
}

const HEAD = ['implementation', 'case', 'threads', 'tokens'];

function rowTable({ rows }: Measured): string {
  const head = [...HEAD, 'time', 'GFLOP/s', 'difference', 'recall'];
  const table = plainTable(head);
  for (const row of rows) table.push(cellsOf(row));
  return table.toString();
}

function cellsOf({
  implementation,
  case: name,
  strategy,
  threads,
  tokens,
  metrics,
  error,
}: ResultRow): string[] {
  const { ms, gflops, outputError, recallMean } = metrics;
  const [, ...variant] = name.split(' ');
  return [
    implementation,
    [strategy, ...variant].join(' '),
    String(threads),
    count(tokens),
    error === undefined ? milliseconds(ms ?? undefined) : pc.red('failed'),
    gflops === null ? '–' : gflops.toFixed(1),
    outputError === null ? '–' : outputError.toExponential(1),
    share(recallMean ?? undefined),
  ];
}

/** Errors and notes, under the table: they are too long for it. */
function remarksOf({ rows }: Measured): string {
  return rows
    .flatMap(({ implementation, tokens, error, note }) => {
      const who = `${implementation} at ${count(tokens)}`;
      return [
        ...(error === undefined ? [] : [pc.red(`${who} failed: ${error}`)]),
        ...(note === undefined ? [] : [pc.dim(`${who}: ${note}`)]),
      ];
    })
    .map((line) => `\n${line}`)
    .join('');
}

/** Each figure beside its target; with `quick` none is judged. */
export function figureTable(figures: readonly Figure[], quick: boolean): string {
  const table = plainTable(['figure', 'measured', 'target', '']);
  for (const figure of figures)
    table.push([
      figure.what,
      valueOf(figure.value, figure),
      targetOf(figure),
      verdictOf(figure, quick),
    ]);
  return table.toString();
}

export function targetOf(figure: Figure): string {
  const { atLeast, atMost } = figure;
  if (atLeast !== undefined) return `≥ ${valueOf(atLeast, figure)}`;
  return atMost === undefined ? '–' : `≤ ${valueOf(atMost, figure)}`;
}

function verdictOf(figure: Figure, quick: boolean): string {
  const met = isMet(figure);
  if (met === undefined) return figure.value === undefined ? pc.red('not measured') : '';
  if (quick) return pc.dim('not judged');
  return met ? pc.green('met') : pc.red('not met');
}

export function valueOf(value: number | undefined, { unit }: Figure): string {
  if (value === undefined) return '–';
  if (unit === 'share') return percent(value);
  if (unit === 'factor') return value < 10 ? `${value.toFixed(2)}×` : factor(value);
  if (unit === 'ms') return milliseconds(value);
  if (unit === 'µs') return `${value.toFixed(0)} µs`;
  if (unit === 'difference') return value.toExponential(1);
  return unit === 'count' ? count(value) : value.toFixed(3);
}
