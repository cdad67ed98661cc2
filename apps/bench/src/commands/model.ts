import { cpu } from '@jit-attention/backend-cpu';

import { type ModelPlan, planModel } from '../model-bench/plan.js';
import { qualityFigures } from '../model-bench/figures.js';
import { measureQuality, type Quality } from '../model-bench/quality.js';
import { qualityRows } from '../model-bench/rows.js';
import { type Anatomy, type Host, inspect } from '../model-bench/subject.js';
import type { ModelOptions } from '../options/model-options.js';
import { forUser, outputPath } from '../options/paths.js';
import { environmentOf } from '../output/environment.js';
import type { BenchResults } from '../output/results.js';
import { write } from '../output/write.js';
import type { Terminal } from '../program.js';
import { printQuality } from '../terminal/model.js';
import { runStages, type Stage } from '../terminal/progress.js';
import { figureTable } from '../terminal/suite.js';

/** `bench model`: what a whole model loses and gains by attention of ours; prints, and writes results and report. */
export async function runModel(
  options: ModelOptions,
  command: string,
  { show, print }: Terminal,
): Promise<void> {
  const plan = planModel(options);
  const file = outputPath('--json', options.json ?? `results/${nameOf(options)}.json`);
  const backend = await cpu({ threads: plan.qualityThreads });
  const host: Host = { backend, threads: plan.qualityThreads };
  let anatomy!: Anatomy;
  let qualities: Quality[] = [];
  const { model, textName } = plan.subject;
  const adopting: Stage = {
    title: `Adopting ${model}, and comparing it with the original`,
    run: async () => {
      anatomy = await inspect(plan.subject, host);
    },
  };
  const comparing: Stage = {
    title: `Letting ${model} read ${textName} and look for codes`,
    run: async ({ at }) => {
      const { vocabulary } = anatomy;
      qualities = await measureQuality({ ...plan, host, vocabulary, at });
    },
  };
  const measuresQuality = plan.tasks.reading + plan.tasks.haystacks > 0;
  const stages = [adopting, ...(measuresQuality ? [comparing] : [])];
  await runStages(stages, show).finally(() => backend.dispose?.());
  printQuality(plan, qualities, print);
  print(figureTable(qualityFigures(qualities), plan.quick));
  const results = resultsOf(plan, anatomy, qualities, command);
  write(file, `${JSON.stringify(results, undefined, 1)}\n`);
  print(`results  ${forUser(file)}`);
}

function nameOf({ quick, model }: ModelOptions): string {
  return `model${model === undefined ? '' : '-own'}${quick ? '-quick' : ''}`;
}

function resultsOf(
  { subject, tasks, speed, qualityThreads }: ModelPlan,
  { sizes }: Anatomy,
  qualities: readonly Quality[],
  command: string,
): BenchResults {
  const facts = { ...sizes, threads: qualityThreads };
  return {
    schema: 1,
    environment: environmentOf({
      ...{ command, model: subject.model, text: subject.textName },
      ...{ seed: tasks.seed, repetitions: speed.rounds },
    }),
    results: qualities.flatMap((quality) => qualityRows(quality, facts)),
  };
}
