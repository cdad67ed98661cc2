import { type Command, Option } from 'commander';

import { inputError } from '@jit-attention/core';

import { whole, wholes, words } from './parse.js';

/** Parts of `bench model`, for `--only`. */
export const PARTS = [
  'perplexity',
  'needles',
  'prefill',
  'decode',
  'piece',
  'web',
  'gpu',
  'same',
] as const;
export type Part = (typeof PARTS)[number];

/** The options of `model` as the user gave them; absent ones have their defaults chosen later. */
export interface ModelOptions {
  model?: string;
  text?: string;
  contexts?: number[];
  haystacks?: number;
  threads: number;
  only?: string[];
  seed: number;
  json?: string;
  html?: string;
  quick?: boolean;
}

export function addModelOptions(command: Command): Command {
  return command
    .option(
      '--model <dir>',
      'a Hugging Face directory with an ONNX decoder, measured in fewer variants (default: the reference model)',
    )
    .option('--text <file>', 'the text that the model reads (default: Moby-Dick)')
    .addOption(
      new Option(
        '--contexts <counts>',
        'tokens of context that quality is measured at; a comma list (default: 1024,2048,4096; with --model 1024,2048)',
      ).argParser(wholes('--contexts', 256)),
    )
    .addOption(
      new Option(
        '--haystacks <count>',
        'texts with hidden codes at each context, two questions each (default: 8; with --model 4)',
      ).argParser(whole('--haystacks', 1)),
    )
    .addOption(
      new Option('--threads <count>', 'threads of ONNX Runtime and of ours where speed is measured')
        .default(1)
        .argParser(whole('--threads', 1)),
    )
    .addOption(
      new Option('--only <parts>', `some of ${PARTS.join(', ')}; a comma list`).argParser(
        words('--only'),
      ),
    )
    .addOption(
      new Option('--seed <number>', 'which codes are hidden where')
        .default(0)
        .argParser(whole('--seed', 0)),
    )
    .option('--json <file>', 'the results (default: results/model.json)')
    .option('--html <file>', 'the report (default: results/model.html)')
    .option('--quick', 'a tenth of the context as the only budget, few cases, short contexts');
}

/** Too slow to be tried unless it is named: on an adapter of software it takes a minute. */
const NOT_QUICK: readonly Part[] = ['gpu'];

/** @throws {InputError} `INVALID_OPTION` for a part that there is not */
export function chosenParts({ only, quick = false }: ModelOptions): Part[] {
  const unknown = only?.find((name) => !(PARTS as readonly string[]).includes(name));
  if (unknown !== undefined) throw inputError('--only', PARTS.join(', '), unknown);
  return PARTS.filter((part) => only?.includes(part) ?? !(quick && NOT_QUICK.includes(part)));
}
