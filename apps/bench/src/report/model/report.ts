import type { ModelRun } from '../../model-bench/run.js';
import { count, percent, plural } from '../../format.js';
import { figuresOf, pooled } from '../../model-bench/figures.js';
import type { Quality } from '../../model-bench/quality.js';
import { budgetText, nameOf, TENTH } from '../../model-bench/variants.js';
import type { Environment } from '../../output/results.js';
import { changeText } from '../../terminal/model.js';
import { type Html, html } from '../html.js';
import { pageOf } from '../page.js';
import { legend } from '../parts.js';
import type { Series } from '../series.js';
import { decodeChart, decoderOf, perplexityChart, retrievalChart, retrievalMap } from './charts.js';
import { figuresTable, qualityTable, speedTable } from './tables.js';

/** What every section is written from. */
export interface ModelReport {
  readonly run: ModelRun;
  readonly environment: Environment;
  readonly series: readonly Series[];
}

/** The page of `bench model`. */
export function renderModelReport(run: ModelRun, environment: Environment): string {
  const names = [...new Set(run.qualities.map(({ variant }) => nameOf(variant)))];
  const series = names.map((name, i) => ({ name, colour: `var(--series-${i % 8})` }));
  const report = { run, environment, series };
  const sections = [opening, perplexity, retrieval, maps, decoding, numbers, method];
  const title = `${run.plan.subject.model} with its attention replaced`;
  return pageOf(
    title.charAt(0).toUpperCase() + title.slice(1),
    sections.map((section) => section(report)),
  );
}

function opening(report: ModelReport): Html {
  const { run, environment } = report;
  const { plan, anatomy } = run;
  const { heads, kvHeads, headDim } = anatomy.sizes;
  return html`<header>
    <p class="soft">jit-attention, model</p>
    <h1>What becomes of a model that reads less of its past?</h1>
    <p class="lead">
      The attention of an existing language model is replaced, without training it anew, by one that
      reads a part of the context only. This page shows what that does to the model itself: how well
      it predicts a text that it has not seen, whether it still finds a code that was hidden far
      back, and how long it takes, beside the same model as it was.
    </p>
    ${cards(report)}
    <dl class="facts">
      <dt>model</dt>
      <dd>
        ${plan.subject.model}: ${plural(anatomy.layers, 'layer')}, ${heads} query heads on
        ${kvHeads} key/value heads of ${headDim} channels
      </dd>
      <dt>text</dt>
      <dd>${plan.subject.textName}</dd>
      <dt>computed by</dt>
      <dd>
        backend <code>cpu</code> and onnxruntime-node, ${environment.cpu}
        (${plural(environment.cores, 'core')}), Node ${environment.node},
        ${environment.gpu && `in Chromium on ${environment.gpu}, `}
        ${environment.date.slice(0, 10)}; speed on ${plural(plan.speed.threads, 'thread')}
      </dd>
    </dl>
  </header>`;
}

/** Dense attention and what reads a tenth, at the longest context. */
function cards({ run: { qualities }, series }: ModelReport): Html | undefined {
  const longest = Math.max(...qualities.map(({ tokens }) => tokens));
  const shown = qualities.filter(
    ({ tokens, variant, error }) =>
      tokens === longest && variant.budget === TENTH && !variant.keepsFirst && error === undefined,
  );
  if (shown.length === 0) return undefined;
  return html`<ul class="cards">
    ${shown.map(({ variant, needles, perplexity }) => {
      const found = needles && pooled(needles);
      const { colour } = series.find(({ name }) => name === nameOf(variant))!;
      return html`<li style="--colour: ${colour}">
        <h3>${nameOf(variant)}, a tenth</h3>
        ${found && html`<strong>${found.found} of ${found.cases}</strong> codes found in ${count(longest)} tokens`}${found && perplexity && '; '}${perplexity && `perplexity ${changeText(perplexity.change)}`}
      </li>`;
    })}
  </ul>`;
}

function perplexity({ run, series }: ModelReport): Html | undefined {
  const measured = run.qualities.filter((one) => one.perplexity);
  if (measured.length === 0) return undefined;
  return html`<section>
    <h2>Perplexity by budget</h2>
    <p>
      How much worse the next token of ${run.plan.subject.textName} is predicted than with dense
      attention (the grey line), by how many entries a query may read. Bars: 95 % intervals of the
      change over the same ${count(measured[0].perplexity!.cases)} tokens.
    </p>
    ${byContext(measured, series, perplexityChart)}
  </section>`;
}

function retrieval({ run, series }: ModelReport): Html | undefined {
  const measured = run.qualities.filter((one) => one.needles);
  if (measured.length === 0) return undefined;
  return html`<section>
    <h2>Codes found by budget</h2>
    <p>
      Two sentences such as <em>The secret code of Geneva is 48213.</em> are hidden in a passage of
      the book, and the model is asked for each. Found means that all five digits come out right.
      Grey: dense attention. Bars: Wilson's 95 % intervals of ${pooled(measured[0].needles!).cases}
      questions a point.
    </p>
    ${byContext(measured, series, retrievalChart)}
  </section>`;
}

function byContext(
  measured: readonly Quality[],
  series: readonly Series[],
  chart: (rows: readonly Quality[], series: readonly Series[]) => Html,
): Html {
  const contexts = [...new Set(measured.map(({ tokens }) => tokens))];
  return html`${legend(series.map(({ name, colour }) => [name, colour]))}
    <div class="figures">
      ${contexts.map(
        (context) =>
          html`<figure>
            <h3>${count(context)} tokens of context</h3>
            ${chart(
              measured.filter(({ tokens }) => tokens === context),
              series,
            )}
          </figure>`,
      )}
    </div>`;
}

/** Dense attention, and the variants that say most: those of a tenth, and pages of 512. */
function maps({ run }: ModelReport): Html | undefined {
  const measured = run.qualities.filter(({ needles }) => needles);
  const labelOf = ({ variant }: Quality): string => `${nameOf(variant)}, ${budgetText(variant)}`;
  const shown = measured.filter(
    ({ variant: { budget, keepsFirst } }) =>
      !keepsFirst && (budget === undefined || budget === TENTH || budget === 512),
  );
  if (shown.length === 0) return undefined;
  return html`<section>
    <h2>Where codes are found</h2>
    <p>
      By how deep the code lies in the context (downwards; 0 % is its beginning) and how long the
      context is: found, of those asked for.
    </p>
    <div class="figures">
      ${[...new Set(shown.map(labelOf))].map(
        (label) =>
          html`<figure>
            <h3>${label}</h3>
            ${retrievalMap(
              `Codes found: ${label}`,
              shown.filter((one) => labelOf(one) === label),
            )}
          </figure>`,
      )}
    </div>
  </section>`;
}

function decoding({ run }: ModelReport): Html | undefined {
  const measured = run.speeds.filter((one) => one.case.name.endsWith('decode'));
  if (measured.length === 0) return undefined;
  const names = [...new Set(measured.flatMap(({ rows }) => rows.map(decoderOf)))];
  const series = names.map((name, i) => ({ name, colour: `var(--series-${(i + 3) % 8})` }));
  return html`<section>
    <h2>Time of a token, by the tokens before it</h2>
    <p>
      One token more, by how long the text is already. ONNX Runtime alone copies its whole cache at
      every step; ours grows in place, so that outside attention a step costs the same however long
      the text.
    </p>
    ${legend(series.map(({ name, colour }) => [name, colour]))}
    <div class="figures">
      ${measured.map(
        ({ case: { title }, rows }) =>
          html`<figure>
            <h3>${title}</h3>
            ${decodeChart(rows, series)}
          </figure>`,
      )}
    </div>
  </section>`;
}

function numbers({ run }: ModelReport): Html {
  const contexts = run.plan.tasks.contexts.filter((context) =>
    run.qualities.some(({ tokens }) => tokens === context),
  );
  return html`<section>
    <h2>Figures and targets</h2>
    ${figuresTable(figuresOf(run), run.plan.quick)}
    <h2>All numbers</h2>
    <p>
      <em>Budget</em>: entries a query may read. <em>Density</em>: entries read, of all that could
      be seen, over everything that was read. <em>KL</em>: divergence of next-token distributions
      from dense attention's. Intervals: 95 %.
    </p>
    ${contexts.map(
      (context) =>
        html`<h3>${count(context)} tokens of context</h3>
          ${qualityTable(run.qualities.filter(({ tokens }) => tokens === context))}`,
    )}
    ${run.speeds.map(
      (one) =>
        html`<h3>${one.case.title}</h3>
          ${speedTable(one.rows)}`,
    )}
  </section>`;
}

function method({ run, environment }: ModelReport): Html {
  const { tasks, speed } = run.plan;
  const first = run.qualities[0];
  const reading = first?.perplexity;
  return html`<section>
    <h2>How this was measured</h2>
    <p>
      The model's ONNX graph is cut at its attention nodes; ONNX Runtime runs the pieces and our
      backend the attention between them.
      ${reading && `Perplexity is that of ${count(reading.cases)} predictions, the text read in windows of the context's length, each for itself; divergence is the mean over ${count(reading.compared)} of them.`}
      ${first?.needles && `Codes: ${plural(tasks.haystacks, 'passage')} at each context, ${tasks.codes} codes in each (seed ${tasks.seed}), one in each half; ${percent(pooled(first.needles).share.value)} are found by dense attention at ${count(first.tokens)} tokens.`}
      Strategies serve all layers unless layers are named; the others are dense then. Times are
      medians of ${plural(speed.rounds, 'round')} in which all take turns, on
      ${plural(speed.threads, 'thread')} each; outputs are compared before they are timed.
    </p>
    <p>To repeat it:</p>
    <pre><code>${environment.command}</code></pre>
    <p class="soft">@jit-attention/bench ${environment.version}, ${environment.platform}</p>
  </section>`;
}
