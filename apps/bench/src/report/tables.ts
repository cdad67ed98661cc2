import { labelOf, seriesOf } from '../candidates/candidate.js';
import { bytes, count, factor, milliseconds, percent, share } from '../format.js';
import { MIN_RECALL_P5 } from '../recommend.js';
import { type Group, summariesOf, type Summary } from '../summary.js';
import { type Html, html } from './html.js';

/** All layers together, a row for each strategy and budget. */
export function overviewTable(group: Group): Html {
  const summaries = summariesOf(group);
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">strategy</th>
          <th scope="col">budget</th>
          <th scope="col">density</th>
          <th scope="col">time</th>
          <th scope="col">speed-up</th>
          <th scope="col">recall, mean</th>
          <th scope="col">p5, worst layer</th>
          <th scope="col">output error</th>
          <th scope="col">bytes read</th>
        </tr>
      </thead>
      <tbody>
        ${summaries.map((summary, i) => overviewRow(summary, summaries[i - 1]))}
      </tbody>
    </table>
  </div>`;
}

function overviewRow(summary: Summary, before: Summary | undefined): Html {
  const { candidate, error } = summary;
  const isFirst = !before || seriesOf(before.candidate) !== seriesOf(candidate);
  const name = html`<th scope="row">${seriesOf(candidate)}</th>
    <td>${count(candidate.budget)}</td>`;
  const numbers = html`<td>${percent(summary.density)}</td>
    <td>${milliseconds(summary.ms)}</td>
    <td>${factor(summary.speedUp)}</td>
    <td>${share(summary.recallMean)}</td>
    ${graded(summary.recallP5)}
    <td>${share(summary.outputError)}</td>
    <td>${bytes(summary.bytesRead)}</td>`;
  const failure = html`<td class="failed" colspan="7">failed: ${error}</td>`;
  return html`<tr class="${isFirst ? 'first' : ''}">
    ${name}${error === undefined ? numbers : failure}
  </tr>`;
}

/** The recall's 5th percentile, layer by layer. */
export function layerTable(group: Group): Html {
  const layers = [...new Set(group.measurements.map(({ input }) => input.layer))];
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">recall p5</th>
          ${layers.map((layer) => html`<th scope="col">layer ${layer}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${summariesOf(group).map(
          ({ candidate, layers: measured }) =>
            html`<tr>
              <th scope="row">${labelOf(candidate)}</th>
              ${layers.map((layer) => graded(measured.find((one) => one.input.layer === layer)?.quality?.recall?.p5))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function graded(recall: number | undefined): Html {
  if (recall === undefined) return html`<td>${share(recall)}</td>`;
  return html`<td class="${recall >= MIN_RECALL_P5 ? 'good' : 'poor'}">${share(recall)}</td>`;
}
