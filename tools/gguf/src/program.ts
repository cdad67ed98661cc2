import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import { resolve } from 'node:path';

import { JitAttentionError } from '@jit-attention/core';

import { check, type CheckOptions } from './check.js';
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
  addConvert(program);
  addCheck(program);
  return program;
}

function addConvert(program: Command): void {
  program
    .command('convert')
    .description('writes the directory')
    .copyInheritedSettings(program)
    .argument('<file>', 'the GGUF file', fromUser)
    .argument('<directory>', 'what to write; must not exist, or be empty', fromUser)
    .addOption(dtypeOption())
    .action((file: string, directory: string, { dtype }: { dtype: WeightType }) =>
      convert(file, directory, { dtype }),
    );
}

function addCheck(program: Command): void {
  program
    .command('check')
    .description('the perplexity of such a directory on a book, and its answer to a question')
    .copyInheritedSettings(program)
    .argument('<directory>', 'what `convert` wrote', fromUser)
    .addOption(dtypeOption())
    .option('--tokens <n>', 'tokens of Moby-Dick to read', atLeast(2), 4096)
    .option('--context <n>', 'tokens in a window, each read for itself', atLeast(2), 1024)
    .option('--prompt <text>', 'what to ask', 'Why is the sky blue?')
    .option('--answer <n>', 'tokens in the answer at most', atLeast(1), 100)
    .action(async (directory: string, options: CheckOptions) => {
      const context = Math.min(options.context, options.tokens);
      const { perplexity, answer } = await check(directory, { ...options, context });
      console.log(`perplexity ${perplexity.toFixed(2)}\n\n> ${options.prompt}\n${answer}`);
    });
}

function dtypeOption(): Option {
  return new Option('--dtype <type>', 'how weights are stored')
    .choices(['fp32', 'fp16'])
    .default('fp32');
}

function atLeast(min: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min}.`);
  };
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
