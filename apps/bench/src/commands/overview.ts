import type { Activations } from '../activations.js';
import { closeDevices } from '../backends.js';
import type { MassMap } from '../measure/mass.js';
import type { OverviewOptions } from '../options/overview-options.js';
import { forUser, outputPath } from '../options/paths.js';
import {
  mapOverview,
  measureOverview,
  type Overview,
  type OverviewPlan,
  planOverview,
  recommendFor,
} from '../overview.js';
import type { Terminal } from '../program.js';
import { renderReport } from '../report/report.js';
import { environmentOf } from '../output/environment.js';
import type { BenchResults } from '../output/results.js';
import { rowOf } from '../output/rows.js';
import { write } from '../output/write.js';
import type { Group } from '../summary.js';
import { runStages, type Stage } from '../terminal/progress.js';
import { printOverview } from '../terminal/overview.js';

/** `bench overview`: measures, prints, and writes results and report. */
export async function runOverview(
  options: OverviewOptions,
  command: string,
  terminal: Terminal,
): Promise<void> {
  const files = filesOf(options);
  const plan = await planOverview(options);
  const overview = await measure(plan, terminal).finally(() => closeDevices(plan.devices));
  printOverview(overview, terminal.print); // first: whatever becomes of the files
  const results = resultsOf(overview, command);
  write(files.json, `${JSON.stringify(results, undefined, 1)}\n`);
  write(files.html, renderReport(overview, results.environment));
  terminal.print(`results  ${forUser(files.json)}\nreport   ${forUser(files.html)}`);
}

function filesOf({ quick, json, html }: OverviewOptions): Record<'json' | 'html', string> {
  const name = quick ? 'overview-quick' : 'overview';
  return {
    json: outputPath('--json', json ?? `results/${name}.json`),
    html: outputPath('--html', html ?? `results/${name}.html`),
  };
}

function resultsOf({ plan, activations, groups }: Overview, command: string): BenchResults {
  const { seed, repetitions } = plan;
  const { model, text } = activations;
  return {
    schema: 1,
    environment: environmentOf({ command, model, text, seed, repetitions }),
    results: groups.flatMap(({ measurements }) => measurements.map(rowOf)),
  };
}

async function measure(plan: OverviewPlan, { show }: Terminal): Promise<Overview> {
  let activations!: Activations;
  let groups!: Group[];
  let mass: MassMap | undefined;
  const load: Stage = {
    title: plan.source.title,
    run: async ({ at }) => {
      activations = await plan.source.load(at);
    },
  };
  const compare: Stage = {
    title: 'Measuring strategies',
    run: async ({ at }) => {
      groups = await measureOverview(plan, activations, at);
    },
  };
  const map: Stage = {
    title: 'Mapping what was read and what mattered',
    run: async () => {
      mass = await mapOverview(groups);
    },
  };
  await runStages([load, compare, map], show);
  return { plan, activations, groups, recommendations: recommendFor(groups), mass };
}
