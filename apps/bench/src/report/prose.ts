import { labelOf } from '../candidates/candidate.js';
import { count, factor, percent, plural } from '../format.js';
import { STRETCH } from '../measure/runs.js';
import { codeOf, MIN_RECALL_P5 } from '../recommend.js';
import type { Group } from '../summary.js';
import { type Html, html } from './html.js';
import { colourOf, queriesOf, type Report, shownSummaries } from './parts.js';

/** What this is about, what came out, and what it was measured on. */
export function opening(report: Report): Html {
  const { group, overview } = report;
  return html`<header>
    <p class="soft">jit-attention, overview</p>
    <h1>How much of its past does a language model have to read?</h1>
    <p class="lead">
      For every word it writes, a language model looks back at all the words before: that is
      attention, and in long texts most of the work. <em>Sparse</em> attention looks back at a part
      only. That is cheaper, and it may miss something. This page shows both, measured on what a
      real model paid attention to in a real text: what each way of choosing read, what it missed,
      and how long it took.
    </p>
    ${cards(report)} ${facts(report)}
    ${group.device.entry.note && html`<p class="soft">${group.device.entry.note}</p>`}
    ${[...overview.activations.data.warnings, ...overview.plan.skipped].map((warning) => html`<p class="poor">${warning}</p>`)}
  </header>`;
}

function cards(report: Report): Html {
  return html`<ul class="cards">
    ${shownSummaries(report).map(
      ({ candidate, density, recallMean, speedUp }) =>
        html`<li style="--colour: ${colourOf(report, candidate)}">
          <h3>${labelOf(candidate)}</h3>
          <strong>${percent(recallMean)}</strong> of the attention, reading ${percent(density)} of
          the past, ${factor(speedUp)} as fast as reading all
        </li>`,
    )}
  </ul>`;
}

function facts({ environment, group, overview }: Report): Html {
  const { config, layers } = overview.activations.data;
  const { heads, kvHeads, headDim } = config;
  const { name, threads } = group.device;
  return html`<dl class="facts">
    <dt>model</dt>
    <dd>
      ${environment.model}: ${layers.length} of its ${plural(config.layers, 'layer')}, ${heads}
      query heads on ${kvHeads} key/value heads of ${headDim} channels
    </dd>
    <dt>text</dt>
    <dd>${environment.text}, ${count(group.tokens)} tokens</dd>
    <dt>measured</dt>
    <dd>${measuredOf(group)} of each layer</dd>
    <dt>computed by</dt>
    <dd>
      backend <code>${name}</code>, ${plural(threads, 'thread')}, on ${environment.cpu}
      (${plural(environment.cores, 'core')}), Node ${environment.node},
      ${environment.date.slice(0, 10)}
    </dd>
  </dl>`;
}

function measuredOf(group: Group): string {
  const queries = count(queriesOf(group));
  const all = count(group.tokens);
  return queries === all ? `all ${all} queries` : `${queries} of the ${all} queries`;
}

function queriesMeasured({ environment, group }: Report): string {
  if (group.device.entry.queries === 'all') {
    const which = queriesOf(group) === group.tokens ? 'All' : `The last ${count(queriesOf(group))}`;
    return `${which} queries of a layer are measured: it is prefilled in stretches of ${STRETCH} tokens, and its time is the sum of theirs.`;
  }
  return `The ${count(queriesOf(group))} measured queries of a layer are runs of consecutive ones from all parts of the context, drawn with seed ${environment.seed}; the last run is the end of the context.`;
}

/** What to run on each layer, as code. */
export function recommendation({ overview, group }: Report): Html {
  const { recommendations, activations } = overview;
  const code = codeOf(recommendations, activations.data.config, group.device.entry);
  return html`<section>
    <h2>Recommendation</h2>
    <p>
      For each layer, of what was measured, that which reads the fewest bytes, is faster than dense
      attention and has a recall of at least ${percent(MIN_RECALL_P5)} at the 5th percentile; where
      nothing has that, dense attention. To paste:
    </p>
    <pre><code>${code}</code></pre>
  </section>`;
}

/** How the numbers came about, and how to get them again. */
export function method(report: Report): Html {
  const { environment } = report;
  return html`<section>
    <h2>How this was measured</h2>
    <p>
      The model read the text, and the queries, keys and values of its layers were recorded as
      attention sees them. Every strategy was then run on them. ${queriesMeasured(report)} Recall
      and output error come from comparing each query with the full softmax, in a pass of its own.
      Times come from another pass without comparing, in which the strategies take turns; each is a
      median of ${environment.repetitions}.
    </p>
    <p>To repeat it:</p>
    <pre><code>${environment.command}</code></pre>
    <p class="soft">@jit-attention/bench ${environment.version}, ${environment.platform}</p>
  </section>`;
}
