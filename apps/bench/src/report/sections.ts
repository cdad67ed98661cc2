import { labelOf } from '../candidates/candidate.js';
import { count, percent, plural } from '../format.js';
import { MIN_RECALL_P5 } from '../recommend.js';
import { readMap, truthMap } from './heat-map.js';
import { type Html, html } from './html.js';
import { colourOf, layersOf, legend, type Report } from './parts.js';
import { recallChart } from './recall-chart.js';
import { layerTable, overviewTable } from './tables.js';
import { timeChart } from './time-chart.js';

/** Where one head's attention lies, and which of it was read. */
export function heatMaps(report: Report): Html | undefined {
  const { mass } = report.overview;
  if (!mass) return undefined;
  return html`<section>
    <h2>What mattered, and what was read</h2>
    <p>
      Layer ${mass.layer}, head ${mass.head}, chosen because here these strategies differ most about
      the places that much attention goes to. Each row is a token that looks back, each column
      ${mass.span} tokens of the past, the diagonal the present; the stronger the colour, the more
      of the row's attention lies there. Red is what was missed: for a window it is everything far
      from the diagonal, however much later tokens come back to it.
    </p>
    ${legend([
      ['what attention is paid to', 'var(--ink)'],
      ['attention that was read', 'var(--read)'],
      ['attention that was missed', 'var(--missed)'],
      ['read in vain', 'var(--idle)'],
    ])}
    <div class="figures">
      <figure>
        <h3>What the head pays attention to</h3>
        ${truthMap(mass)}
      </figure>
      ${mass.panels.map(
        (panel) =>
          html`<figure>
            <h3>${labelOf(panel.candidate)}: ${percent(panel.recall)} of it read</h3>
            ${readMap(labelOf(panel.candidate), mass, panel)}
          </figure>`,
      )}
    </div>
  </section>`;
}

export function recall({ group, series }: Report): Html {
  return html`<section>
    <h2>Recall against density</h2>
    <p>
      How much of the attention was read (<em>recall</em>, upwards) by reading how much of the past
      (<em>density</em>, to the right); the upper left corner would be perfect. Solid: the mean over
      queries and heads. Dashed: the 5th percentile, that is what all but the worst-served 5 % have
      at least. Dotted: ${percent(MIN_RECALL_P5)}, what a recommendation asks of the dashed line.
    </p>
    ${legend(series.map(({ name, colour }) => [name, colour]))}
    <div class="figures">
      ${layersOf(group).map(
        (layer) =>
          html`<figure>
            <h3>Layer ${layer}</h3>
            ${recallChart(layer, group, series)}
          </figure>`,
      )}
    </div>
  </section>`;
}

export function time(report: Report): Html {
  const { group, series, shown, overview } = report;
  const drawn = [group.measurements[0].candidate, ...shown];
  return html`<section>
    <h2>Time against tokens</h2>
    <p>
      How long a query takes in one layer, by how many tokens there are before it. To read all of
      them takes ever longer; to read a fixed number does not, apart from finding out which. Each
      point is a run of consecutive queries, the median of
      ${plural(overview.plan.repetitions, 'repetition')}; all strategies were given the same.
    </p>
    ${legend(drawn.map((candidate) => [labelOf(candidate), colourOf(report, candidate)]))}
    <figure class="single">${timeChart(group, drawn, series)}</figure>
    ${group.device.entry.note && html`<p class="soft">${group.device.entry.note}</p>`}
  </section>`;
}

export function numbers({ overview: { groups }, group }: Report): Html {
  return html`<section>
    <h2>All numbers</h2>
    <p>
      All layers together. <em>Budget</em>: entries a query may read. <em>Density</em>: entries
      read, of all it could see. <em>Recall</em>: the share of the attention that lay in what was
      read. <em>Output error</em>: how far the result is from dense attention's, relative to its
      size. <em>Bytes read</em>: keys and values, and what was read to choose among them.
    </p>
    ${groups.map(
      (one) =>
        html`<h3>
            ${count(one.tokens)} tokens, backend ${one.device.name},
            ${plural(one.device.threads, 'thread')}
          </h3>
          ${overviewTable(one)}`,
    )}
    <details>
      <summary>Layer by layer</summary>
      ${layerTable(group)}
    </details>
  </section>`;
}
