import { inputError } from '@jit-attention/core';

import { fromUser } from '../options/paths.js';
import { DENSE, FAMILIES, type Family } from './built-in.js';
import type { Candidate } from './candidate.js';
import { distinct, isPath, loadPlugin, type Plugin, pluginCandidates } from './plugin.js';

/** What `--strategy` asked for, before budgets are chosen. */
export type Source = Family | Plugin;

/**
 * The strategies that were asked for; without any, all that are built in. Dense is always there and first: the
 * others are compared with it.
 *
 * @throws {InputError} `INVALID_OPTION` for an unknown name; what {@link loadPlugin} throws
 */
export async function resolveStrategies(wanted: readonly string[]): Promise<Source[]> {
  if (wanted.length === 0) return [...FAMILIES];
  const plugins = distinct(await Promise.all(wanted.filter(isPath).map(loadPlugin)));
  const sources = wanted.flatMap<Source>((text) =>
    isPath(text) ? plugins.find(({ path }) => path === fromUser(text))! : named(text),
  );
  return [...new Set([DENSE, ...sources])];
}

/** `topk:page`, or `topk` for all its variants. */
function named(text: string): Family[] {
  const found = FAMILIES.filter(({ name }) => name === text || name.startsWith(`${text}:`));
  if (found.length > 0) return found;
  throw inputError('--strategy', FAMILIES.map(({ name }) => name).join(', '), text, {
    hint: 'to run a strategy of your own give the path of a module, for example ./my-strategy.mjs',
  });
}

/** Every strategy at every budget, for a context of `tokens`. */
export function candidatesOf(
  sources: readonly Source[],
  tokens: number,
  budgets?: readonly number[],
): Candidate[] {
  return sources.flatMap((source) => {
    if (!('at' in source)) return pluginCandidates(source, budgets ?? pluginBudgets(tokens));
    if (!source.budgets) return [source.at(undefined)];
    return (budgets ?? source.budgets(tokens)).map((budget) => source.at(budget));
  });
}

/** A plugin that takes a budget is tried at those of the built-in strategies. */
function pluginBudgets(tokens: number): number[] {
  const all = FAMILIES.flatMap((family) => family.budgets?.(tokens) ?? []);
  return [...new Set(all)].sort((a, b) => a - b);
}
