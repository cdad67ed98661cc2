import { type Command, Option } from 'commander';

import { inputError } from '@jit-attention/core';

import { DEFAULT_BACKEND } from '../backends.js';
import { whole, wholes, words } from './parse.js';

/** The options of `overview` as the user gave them; absent ones have their defaults chosen later. */
export interface OverviewOptions {
  /** Names, or paths of modules. Default: every one that the benchmark knows. */
  strategy: string[];
  backend: string[];
  threads: number[];
  tokens?: number[];
  budget?: number[];
  layers?: number[];
  model?: string;
  qkv?: string;
  text?: string;
  seed: number;
  json?: string;
  html?: string;
  quick?: boolean;
}

/** Declares the options on a command. */
export function addOverviewOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--strategy <name|module>',
        'a strategy by name, or a module that exports one; repeatable',
      )
        .default([], 'all that are built in')
        .argParser((text, before: string[]) => [...before, text]),
    )
    .addOption(
      list('--backend <names>', 'where to compute')
        .default([DEFAULT_BACKEND])
        .argParser(words('--backend')),
    )
    .addOption(
      list('--threads <counts>', 'threads of a backend, those it can use')
        .default([1])
        .argParser(wholes('--threads', 1)),
    )
    .addOption(
      list(
        '--tokens <counts>',
        'tokens of context (default: 4096, or as many as there are)',
      ).argParser(wholes('--tokens', 1)),
    )
    .addOption(
      list(
        '--budget <counts>',
        'entries a query may read (default: a few shares of the context)',
      ).argParser(wholes('--budget', 1)),
    )
    .addOption(
      list('--layers <numbers>', 'layers, from 0 (default: all)').argParser(wholes('--layers', 0)),
    )
    .option(
      '--model <dir>',
      'a Hugging Face directory with an ONNX decoder (default: the reference model)',
    )
    .option(
      '--qkv <file>',
      'queries, keys and values of any model, as safetensors (layer.<i>.q, .k, .v)',
    )
    .option('--text <file>', 'the text that the model reads (default: Moby-Dick)')
    .addOption(
      new Option('--seed <number>', 'which queries are measured')
        .default(0)
        .argParser(whole('--seed', 0)),
    )
    .option('--json <file>', 'the results (default: results/overview.json)')
    .option('--html <file>', 'the report (default: results/overview.html)')
    .option(
      '--quick',
      'every strategy, the first and the last layer, the last 1024 queries; under a minute',
    );
}

function list(flags: string, description: string): Option {
  return new Option(flags, `${description}; a comma list`);
}

/** @throws {InputError} `INVALID_OPTION` where two options contradict each other */
export function assertConsistent({ qkv, model, text }: OverviewOptions): void {
  const other = model !== undefined ? '--model' : text !== undefined ? '--text' : undefined;
  if (qkv === undefined || other === undefined) return;
  throw inputError('overview', `--qkv or ${other}`, 'both', {
    hint: '--qkv brings the activations of a model that has read its text already',
  });
}
