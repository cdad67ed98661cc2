import type { Overview } from '../overview.js';
import { mainGroup } from '../overview.js';
import type { Environment } from '../output/results.js';
import { html, raw } from './html.js';
import { type Report, titleOf } from './parts.js';
import { method, opening, recommendation } from './prose.js';
import { seriesIn } from './series.js';
import { heatMaps, numbers, recall, time } from './sections.js';
import { STYLES } from './styles.js';

/** One page that needs nothing else: no script, no font, no other file. */
export function renderReport(overview: Overview, environment: Environment): string {
  const group = mainGroup(overview.groups);
  const shown = overview.mass?.panels.map(({ candidate }) => candidate) ?? [];
  const report: Report = { overview, environment, group, series: seriesIn(group), shown };
  const sections = [opening, heatMaps, recall, time, numbers, recommendation, method];
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${titleOf(report)}</title>
        <style>
          ${raw(STYLES)}
        </style>
      </head>
      <body>
        <main>${sections.map((section) => section(report))}</main>
      </body>
    </html> `;
  return page.toString();
}
