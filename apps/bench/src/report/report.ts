import type { Overview } from '../overview.js';
import { mainGroup } from '../overview.js';
import type { Environment } from '../output/results.js';
import { pageOf } from './page.js';
import { type Report, titleOf } from './parts.js';
import { method, opening, recommendation } from './prose.js';
import { seriesIn } from './series.js';
import { heatMaps, numbers, recall, time } from './sections.js';

/** One page that needs nothing else: no script, no font, no other file. */
export function renderReport(overview: Overview, environment: Environment): string {
  const group = mainGroup(overview.groups);
  const shown = overview.mass?.panels.map(({ candidate }) => candidate) ?? [];
  const report: Report = { overview, environment, group, series: seriesIn(group), shown };
  const sections = [opening, heatMaps, recall, time, numbers, recommendation, method];
  return pageOf(
    titleOf(report),
    sections.map((section) => section(report)),
  );
}
