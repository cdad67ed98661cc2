import { basename, isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

import { type AttentionStrategy, inputError } from '@jit-attention/core';

import { assertExists, forUser, fromUser } from '../options/paths.js';
import type { Candidate } from './candidate.js';

type Factory = (options: { budget?: number }) => AttentionStrategy;

/** A module that exports one strategy, or one factory of them. */
export interface Plugin {
  readonly path: string;
  /** What tells its rows from others: the file's name, or more of its path where two have the same. */
  readonly variant: string;
  /** `default`, or the name of the only export. */
  readonly exported: string;
  readonly value: AttentionStrategy | Factory;
}

/** Whether `--strategy` names a module rather than a built-in strategy. */
export function isPath(text: string): boolean {
  return /[\\/]|\.[cm]?[jt]s$/.test(text);
}

/**
 * Loads a module from a path relative to where the user stands.
 *
 * @throws {InputError} `MISSING_INPUT` when there is no such file, `INVALID_OPTION` when it does not export one
 *   strategy or factory, or fails while it is loaded
 */
export async function loadPlugin(text: string): Promise<Plugin> {
  const path = fromUser(text);
  assertExists('--strategy', path, 'file');
  const module = await load(path);
  const names = Object.keys(module);
  const exported = names.includes('default') ? 'default' : names[0];
  const value = exported === undefined ? undefined : module[exported];
  if (names.length > 1 && exported !== 'default') {
    fail(text, 'one export, or a default one', names.join(', '));
  }
  if (!isFactory(value) && !isStrategy(value)) {
    fail(text, 'to export a strategy (an object with plan()) or a factory of one', value);
  }
  return { path, variant: basename(path), exported, value };
}

async function load(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    const hint = /\.[cm]?ts$/.test(path)
      ? 'Node runs JavaScript: compile it first'
      : 'it must load with `node` alone';
    return fail(path, 'a module that loads', (cause as Error).message, hint);
  }
}

/** Each file once; whoever shares a name with another is told from it by the path. */
export function distinct(plugins: readonly Plugin[]): Plugin[] {
  const files = [...new Map(plugins.map((plugin) => [plugin.path, plugin])).values()];
  const shares = ({ path }: Plugin): boolean =>
    files.some((other) => other.path !== path && basename(other.path) === basename(path));
  return files.map((plugin) =>
    shares(plugin) ? { ...plugin, variant: forUser(plugin.path) } : plugin,
  );
}

/** The plugin at each budget: a factory is called with `{ budget }`, an object is as it is. */
export function pluginCandidates(
  { path, variant, exported, value }: Plugin,
  budgets: readonly number[],
): Candidate[] {
  const isDefault = exported === 'default';
  const name = isDefault ? 'strategy' : exported;
  const imports = { name, from: specifierOf(path), isDefault };
  if (!isFactory(value)) {
    const create = (): AttentionStrategy => value;
    const code = { imports, expression: name };
    return [{ strategy: value.name, variant, budget: budgetOf(value), create, code }];
  }
  return budgets.map((budget) => ({
    strategy: nameOf(value, budget) ?? (isDefault ? variant : exported),
    variant,
    budget,
    create: () => value({ budget }),
    code: { imports, expression: `${name}({ budget: ${budget} })` },
  }));
}

/** To import the file from where the user stands. */
function specifierOf(path: string): string {
  const short = forUser(path).replaceAll('\\', '/');
  return isAbsolute(short) || short.startsWith('../') ? short : `./${short}`;
}

/** A factory that throws is measured as a row with an error, under the name of its export. */
function nameOf(factory: Factory, budget: number): string | undefined {
  try {
    return factory({ budget }).name;
  } catch {
    return undefined;
  }
}

function budgetOf({ options }: AttentionStrategy): number | undefined {
  return typeof options?.budget === 'number' ? options.budget : undefined;
}

function isFactory(value: unknown): value is Factory {
  return typeof value === 'function';
}

function isStrategy(value: unknown): value is AttentionStrategy {
  return typeof (value as AttentionStrategy | null | undefined)?.plan === 'function';
}

function fail(where: string, expected: string, actual: unknown, hint?: string): never {
  throw inputError(`--strategy ${where}`, expected, actual, { hint });
}
