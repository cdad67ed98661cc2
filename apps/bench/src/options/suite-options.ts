import { type Command, Option } from 'commander';

import { inputError } from '@jit-attention/core';

import type { BenchBackend, Case, Suite } from '../race/case.js';
import { words } from './parse.js';

/** The options of `kernels` and `peers`. */
export interface SuiteOptions {
  only?: string[];
  json?: string;
  quick?: boolean;
  backend: BenchBackend;
}

/** How many times shorter contexts are with `--quick`. */
export const QUICK_SCALE = 8;

export function addSuiteOptions(command: Command, { name, backends, cases }: Suite): Command {
  const names = backends.flatMap((backend) => cases(1, backend).map((one) => one.name));
  return command
    .addOption(
      new Option('--backend <name>', 'whose kernels').choices(backends).default(backends[0]),
    )
    .addOption(
      new Option(
        '--only <cases>',
        `some of ${[...new Set(names)].join(', ')}; a comma list`,
      ).argParser(words('--only')),
    )
    .option('--json <file>', `the results (default: results/${name}.json)`)
    .option('--quick', `contexts of an eighth, fewer rounds: tries everything, shows little`);
}

/** @throws {InputError} `INVALID_OPTION` for a case that is not there */
export function chosenCases({ cases }: Suite, { only, quick, backend }: SuiteOptions): Case[] {
  const all = cases(quick ? QUICK_SCALE : 1, backend);
  const names = all.map(({ name }) => name);
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw inputError('--only', names.join(', '), unknown);
  return all.filter(({ name }) => only?.includes(name) ?? true);
}
