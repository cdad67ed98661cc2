import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { pathError } from './errors.js';

/** @throws {InputError} `INVALID_OPTION` unless there is nothing at the path, or an empty directory */
export function requireFree(directory: string): void {
  if (!existsSync(directory)) return;
  const hint = 'give the path of a directory that does not exist yet';
  if (!statSync(directory).isDirectory()) {
    throw pathError(`${directory} is a file`, 'INVALID_OPTION', hint);
  }
  const { length } = readdirSync(directory);
  if (length > 0) throw pathError(`${directory} is not empty`, 'INVALID_OPTION', hint);
}

/**
 * A directory that is filled beside its place and moved there at the end, so that it is there whole or not at
 * all.
 */
export class OutputDirectory {
  readonly #target: string;
  readonly #draft: string;

  /** @throws what {@link requireFree} throws */
  constructor(target: string) {
    requireFree(target);
    mkdirSync(dirname(target), { recursive: true });
    this.#target = target;
    this.#draft = `${target}.partial-${process.pid}`;
    mkdirSync(this.#draft);
    process.once('exit', this.discard); // interrupted
  }

  /** The path of a file in it; its folder is made. */
  path(name: string): string {
    const path = join(this.#draft, name);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  writeJson(name: string, value: object): void {
    writeFileSync(this.path(name), `${JSON.stringify(value, null, 2)}\n`);
  }

  finish(): void {
    if (existsSync(this.#target)) rmdirSync(this.#target); // empty; only some systems rename onto it
    renameSync(this.#draft, this.#target);
    process.off('exit', this.discard);
  }

  /** Leaves nothing behind. */
  discard = (): void => {
    rmSync(this.#draft, { recursive: true, force: true });
    process.off('exit', this.discard);
  };
}
