import { Command, CommanderError } from 'commander';
import pc from 'picocolors';

import { JitAttentionError } from '@jit-attention/core';

import { runModel } from './commands/model.js';
import { runOverview } from './commands/overview.js';
import { runSuite } from './commands/suite.js';
import { KERNELS } from './kernels/suite.js';
import { addModelOptions, type ModelOptions } from './options/model-options.js';
import { addOverviewOptions, type OverviewOptions } from './options/overview-options.js';
import { addSuiteOptions, type SuiteOptions } from './options/suite-options.js';
import { commandOf, packageVersion } from './output/environment.js';
import { PEERS } from './peers/suite.js';
import type { Show } from './terminal/progress.js';

/** Where a run shows itself. */
export interface Terminal {
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  readonly show: Show;
}

const CONSOLE: Terminal = {
  print: (text) => console.log(text),
  printError: (text) => console.error(text),
  show: 'auto',
};

/** Runs the command line, without the program's own name; returns the exit status. */
export async function main(args: readonly string[], terminal: Terminal = CONSOLE): Promise<number> {
  try {
    await programFor(args, terminal).parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return explain(error, terminal);
  }
}

function programFor(args: readonly string[], terminal: Terminal): Command {
  const program = new Command('jit-attention-bench')
    .description(
      'What attention strategies read, miss and cost, on the real activations of a language model.',
    )
    .version(packageVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.printError(text.trimEnd()),
    });
  const overview = program
    .command('overview', { isDefault: true })
    .description(
      'every strategy at several budgets on every layer: density, time, recall, and a recommendation',
    )
    .copyInheritedSettings(program);
  addOverviewOptions(overview).action((options: OverviewOptions) =>
    runOverview(options, commandOf(args), terminal),
  );
  for (const suite of [KERNELS, PEERS]) {
    const command = program
      .command(suite.name)
      .description(suite.description)
      .copyInheritedSettings(program);
    addSuiteOptions(command, suite).action((options: SuiteOptions) =>
      runSuite(suite, options, commandOf(args), terminal),
    );
  }
  const model = program
    .command('model')
    .description(
      'a whole model with its attention replaced: perplexity, hidden codes found, and speed beside ONNX Runtime alone',
    )
    .copyInheritedSettings(program);
  addModelOptions(model).action((options: ModelOptions) =>
    runModel(options, commandOf(args), terminal),
  );
  return program;
}

/** Wrong input gets a sentence and what to do about it; anything else is ours, and gets its stack. */
function explain(error: unknown, { printError }: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode; // commander has said it
  if (JitAttentionError.is(error)) {
    printError(`${pc.red('error')} ${error.message}`);
    return 2;
  }
  printError(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}
