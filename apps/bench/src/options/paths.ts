import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';

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
  const found = existsSync(path) ? statSync(path) : undefined;
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
 * The absolute path of a file that is going to be written, once all work is done: what stands against it is said now.
 *
 * @throws {InputError} `INVALID_OPTION` when there is a directory at that path, or a file where a folder would have
 *   to be, or the user may not write there
 */
export function outputPath(option: string, path: string): string {
  const absolute = fromUser(path);
  const there = existing(absolute);
  const isDirectory = statSync(there).isDirectory();
  if (there === absolute && isDirectory) {
    throw inputError(option, 'a file', `a directory, ${absolute}`);
  }
  if (there !== absolute && !isDirectory) {
    throw inputError(option, 'a path through folders', `${absolute}, where ${there} is a file`);
  }
  if (!isWritable(there)) {
    throw inputError(option, 'a file that can be written', `${absolute}: ${there} is read-only`);
  }
  return absolute;
}

/** The path itself, or the nearest above it that there is. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
