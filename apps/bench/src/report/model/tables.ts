import { count, milliseconds, percent } from '../../format.js';
import { pooled } from '../../model-bench/figures.js';
import type { Quality } from '../../model-bench/quality.js';
import { budgetText, nameOf } from '../../model-bench/variants.js';
import type { ResultRow } from '../../output/results.js';
import { type Figure, isMet } from '../../race/case.js';
import { changeText } from '../../terminal/model.js';
import { targetOf, valueOf } from '../../terminal/suite.js';
import { type Html, html } from '../html.js';
import { decoderOf } from './charts.js';

function table(head: readonly string[], rows: readonly Html[]): Html {
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${head.map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

const QUALITY = [
  'strategy',
  'budget',
  'density',
  'perplexity',
  'change',
  'KL, nats',
  'codes found',
  'interval',
];

/** The variants at one context. */
export function qualityTable(rows: readonly Quality[]): Html {
  return table(
    QUALITY,
    rows.map((row, i) => qualityRow(row, rows[i - 1])),
  );
}

function qualityRow(quality: Quality, before: Quality | undefined): Html {
  const { variant, density, perplexity, needles, error } = quality;
  const isFirst = !before || nameOf(before.variant) !== nameOf(variant);
  const isDense = variant.budget === undefined;
  const found = needles && pooled(needles);
  const numbers = html`<td>${percent(density)}</td>
    <td>${perplexity?.perplexity.value.toFixed(2) ?? '–'}</td>
    <td>${perplexity && !isDense ? changeText(perplexity.change) : '–'}</td>
    <td>${perplexity && !isDense ? perplexity.divergence.value.toFixed(4) : '–'}</td>
    <td>${found ? `${found.found} of ${found.cases}` : '–'}</td>
    <td>${found ? `${percent(found.share.low)} to ${percent(found.share.high)}` : '–'}</td>`;
  return html`<tr class="${isFirst ? 'first' : ''}">
    <th scope="row">${nameOf(variant)}</th>
    <td>${budgetText(variant)}</td>
    ${error === undefined ? numbers : html`<td class="failed" colspan="6">failed: ${error}</td>`}
  </tr>`;
}

/** Of a case that was timed, or compared. */
export function speedTable(rows: readonly ResultRow[]): Html {
  return table(
    ['implementation', 'tokens', 'time', 'alike', 'difference'],
    rows.map(
      (row) =>
        html`<tr>
          <th scope="row">${row.metrics.cases === undefined ? decoderOf(row) : row.case}</th>
          <td>${count(row.tokens)}</td>
          ${row.error === undefined ? timedCells(row) : html`<td class="failed" colspan="3">failed: ${row.error}</td>`}
        </tr>`,
    ),
  );
}

function timedCells({ metrics }: ResultRow): Html {
  const { ms, outputError, largestDifference, found, cases } = metrics;
  const difference = largestDifference ?? outputError;
  return html`<td>${milliseconds(ms ?? undefined)}</td>
    <td>${found === undefined ? '–' : `${found} of ${cases}`}</td>
    <td>${difference === null ? '–' : difference.toExponential(1)}</td>`;
}

/** Each beside its target. */
export function figuresTable(figures: readonly Figure[], quick: boolean): Html {
  return table(
    ['figure', 'measured', 'target', ''],
    figures.map(
      (figure) =>
        html`<tr>
          <th scope="row" class="long">${figure.what}</th>
          <td>${valueOf(figure.value, figure)}</td>
          <td>${targetOf(figure)}</td>
          ${verdict(figure, quick)}
        </tr>`,
    ),
  );
}

function verdict(figure: Figure, quick: boolean): Html {
  const met = isMet(figure);
  if (met === undefined) return html`<td>${figure.value === undefined ? 'not measured' : ''}</td>`;
  if (quick) return html`<td>not judged</td>`;
  return html`<td class="${met ? 'good' : 'poor'}">${met ? 'met' : 'not met'}</td>`;
}
