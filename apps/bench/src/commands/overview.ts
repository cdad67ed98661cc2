import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Activations } from '../activations.js';
import type { MassMap } from '../measure/mass.js';
import type { OverviewOptions } from '../options/overview-options.js';
import { forUser, outputPath } from '../options/paths.js';
import {
  mapOverview,
  measureOverview,
  type Overview,
  planOverview,
  recommendFor,
} from '../overview.js';
import type { Terminal } from '../program.js';
import { renderReport } from '../report/report.js';
import { environmentOf } from '../output/environment.js';
import type { BenchResults } from '../output/results.js';
import { rowOf } from '../output/rows.js';
import type { Group } from '../summary.js';
import { runStages } from '../terminal/progress.js';
import { printOverview } from '../terminal/overview.js';

/** `bench overview`: measures, prints, and writes results and report. */
export async function runOverview(
  options: OverviewOptions,
  command: string,
  terminal: Terminal,
): Promise<void> {
  const files = filesOf(options);
  const overview = await measure(options, terminal);
  const { plan, activations, groups } = overview;
  const { seed, repetitions } = plan;
  const { model, text } = activations;
  const results: BenchResults = {
    schema: 1,
    environment: environmentOf({ command, model, text, seed, repetitions }),
    results: groups.flatMap(({ measurements }) => measurements.map(rowOf)),
  };
  write(files.json, `${JSON.stringify(results, undefined, 1)}\n`);
  write(files.html, renderReport(overview, results.environment));
  printOverview(overview, terminal.print);
  terminal.print(`results  ${forUser(files.json)}\nreport   ${forUser(files.html)}`);
}

function filesOf({ quick, json, html }: OverviewOptions): Record<'json' | 'html', string> {
  const name = quick ? 'overview-quick' : 'overview';
  return {
    json: outputPath('--json', json ?? `results/${name}.json`),
    html: outputPath('--html', html ?? `results/${name}.html`),
  };
}

async function measure(options: OverviewOptions, { show }: Terminal): Promise<Overview> {
  const plan = await planOverview(options);
  let activations: Activations | undefined;
  let groups: Group[] = [];
  let mass: MassMap | undefined;
  await runStages(
    [
      {
        title: plan.source.title,
        async run(progress) {
          activations = await plan.source.load((share) => progress.at(share));
        },
      },
      {
        title: 'Measuring strategies',
        async run(progress) {
          groups = await measureOverview(plan, activations!, (share, doing) =>
            progress.at(share, doing),
          );
        },
      },
      {
        title: 'Mapping what was read and what mattered',
        async run() {
          mass = await mapOverview(groups);
        },
      },
    ],
    show,
  );
  return { plan, activations: activations!, groups, recommendations: recommendFor(groups), mass };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
