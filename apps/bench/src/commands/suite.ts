import { outputPath, forUser } from '../options/paths.js';
import { chosenCases, type SuiteOptions } from '../options/suite-options.js';
import { environmentOf } from '../output/environment.js';
import type { BenchResults } from '../output/results.js';
import { write } from '../output/write.js';
import type { Terminal } from '../program.js';
import { type Case, type Suite } from '../race/case.js';
import { race } from '../race/race.js';
import { rowOf } from '../race/rows.js';
import { adapterName } from './adapter.js';
import { type Measured, printSuite } from '../terminal/suite.js';
import { runStages, type Stage } from '../terminal/progress.js';

const ROUNDS = 5;
const QUICK_ROUNDS = 2;

/** `bench kernels`, `bench peers`: times what takes part in each case, prints, and writes results. */
export async function runSuite(
  suite: Suite,
  options: SuiteOptions,
  command: string,
  { show, print }: Terminal,
): Promise<void> {
  const { quick = false, backend } = options;
  const place = backend === suite.backends[0] ? '' : `-${backend}`;
  const { json = `results/${suite.name}${place}${quick ? '-quick' : ''}.json` } = options;
  const cases = chosenCases(suite, options);
  const file = outputPath('--json', json);
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  const gpu = backend === 'webgpu' ? await adapterName() : undefined;
  if (gpu !== undefined) print(`adapter  ${gpu}`);
  const measured: Measured[] = [];
  const stages = cases.map((one) => stageOf(suite, one, rounds, (done) => measured.push(done)));
  await runStages(stages, show);
  const results: BenchResults = {
    schema: 1,
    environment: environmentOf({
      ...{ command, model: 'random numbers', text: 'none', seed: 0, repetitions: rounds },
      ...(gpu !== undefined && { gpu }),
    }),
    results: measured.flatMap(({ rows }) => rows),
  };
  write(file, `${JSON.stringify(results, undefined, 1)}\n`);
  printSuite(measured, { quick, rounds }, print);
  print(`results  ${forUser(file)}`);
}

function stageOf(
  { name }: Suite,
  one: Case,
  rounds: number,
  onDone: (measured: Measured) => void,
): Stage {
  return {
    title: one.title,
    async run({ at }) {
      const outcomes = await race(one.contenders, {
        rounds,
        onLap: (share, { facts }) => at(share, `${facts.implementation} ${facts.strategy}`),
      });
      onDone({ case: one, rows: outcomes.map((outcome) => rowOf(name, one, outcome)) });
    },
  };
}
