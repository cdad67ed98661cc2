import { Command, CommanderError, Option } from 'commander';
import pc from 'picocolors';
import { resolve } from 'node:path';

import { JitAttentionError } from '@jit-attention/core';

import { convert } from './convert.js';
import type { WeightType } from './weight-file.js';

/** Runs the command line, without the program's own name; returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return explain(error);
  }
}

function program(): Command {
  const program = new Command('gguf')
    .description('Turns a Llama-type GGUF file into a Hugging Face directory with an ONNX decoder.')
    .exitOverride();
  const dtype = () =>
    new Option('--dtype <type>', 'how weights are stored')
      .choices(['fp32', 'fp16'])
      .default('fp32');
  program
    .command('convert')
    .description('writes the directory')
    .copyInheritedSettings(program)
    .argument('<file>', 'the GGUF file')
    .argument('<directory>', 'what to write; must not exist, or be empty')
    .addOption(dtype())
    .action((file: string, directory: string, options: { dtype: WeightType }) =>
      convert(fromUser(file), fromUser(directory), options),
    );
  return program;
}

/** A package manager runs scripts in the package's folder and leaves the user's own in `INIT_CWD`. */
function fromUser(path: string): string {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}

/** Wrong input gets a sentence and what to do about it; anything else is ours, and gets its stack. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode; // commander has said it
  if (JitAttentionError.is(error)) {
    console.error(`${pc.red('error')} ${error.message}`);
    return 2;
  }
  console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 1;
}
