import { planModel } from '../model-bench/plan.js';
import { qualityRows } from '../model-bench/rows.js';
import { measureModel, type ModelRun } from '../model-bench/run.js';
import type { ModelOptions } from '../options/model-options.js';
import { forUser, outputPath } from '../options/paths.js';
import { environmentOf } from '../output/environment.js';
import type { BenchResults } from '../output/results.js';
import { write } from '../output/write.js';
import type { Terminal } from '../program.js';
import { renderModelReport } from '../report/model/report.js';
import { printModel } from '../terminal/model.js';
import { nameOf } from './adapter.js';

/** `bench model`: what becomes of a whole model whose attention is ours; prints, and writes results and report. */
export async function runModel(
  options: ModelOptions,
  command: string,
  terminal: Terminal,
): Promise<void> {
  const files = filesOf(options);
  const plan = planModel(options);
  const run = await measureModel(plan, terminal.show);
  printModel(run, terminal.print); // first: whatever becomes of the files
  const results = resultsOf(run, command);
  write(files.json, `${JSON.stringify(results, undefined, 1)}\n`);
  write(files.html, renderModelReport(run, results.environment));
  terminal.print(`results  ${forUser(files.json)}\nreport   ${forUser(files.html)}`);
}

function filesOf({ quick, json, html }: ModelOptions): Record<'json' | 'html', string> {
  const name = quick ? 'model-quick' : 'model';
  return {
    json: outputPath('--json', json ?? `results/${name}.json`),
    html: outputPath('--html', html ?? `results/${name}.html`),
  };
}

function resultsOf(run: ModelRun, command: string): BenchResults {
  const { plan, anatomy, qualities, speeds, gpu } = run;
  const { subject, tasks, speed, qualityThreads } = plan;
  const facts = { ...anatomy.sizes, threads: qualityThreads };
  return {
    schema: 1,
    environment: environmentOf({
      ...{ command, model: subject.model, text: subject.textName },
      ...{ seed: tasks.seed, repetitions: speed.rounds },
      ...(gpu && { gpu: nameOf(gpu) }),
    }),
    results: [
      ...qualities.flatMap((quality) => qualityRows(quality, facts)),
      ...speeds.flatMap(({ rows }) => rows),
    ],
  };
}
