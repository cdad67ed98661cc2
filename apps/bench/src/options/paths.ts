import { statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';

import { inputError } from '@jit-attention/core';

/**
 * Where the user stands. A package manager runs scripts in the package's folder and leaves the user's own in
 * `INIT_CWD`.
 */
export function userDirectory(): string {
  return process.env.INIT_CWD ?? process.cwd();
}

/** An absolute path, of one that is relative to where the user stands. */
export function fromUser(path: string): string {
  return resolve(userDirectory(), path);
}

/** The shortest way to name a path to the user. */
export function forUser(path: string): string {
  const short = relative(userDirectory(), path);
  return short === '' || short.startsWith(`..${sep}..`) ? path : short;
}

/** @throws {InputError} `MISSING_INPUT` unless there is a file, or a directory, at the path */
export function assertExists(option: string, path: string, kind: 'file' | 'directory'): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (kind === 'file' ? found?.isFile() : found?.isDirectory()) return;
  throw inputError(
    option,
    `a ${kind}`,
    found ? `${path}, which is none` : `${path}, which does not exist`,
    {
      code: 'MISSING_INPUT',
      hint: `paths are relative to ${userDirectory()}`,
    },
  );
}

/**
 * The absolute path of a file that is going to be written.
 * @throws {InputError} `INVALID_OPTION` when there is a directory at that path
 */
export function outputPath(option: string, path: string): string {
  const absolute = fromUser(path);
  if (statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) {
    throw inputError(option, 'a file', `a directory, ${absolute}`);
  }
  return absolute;
}
