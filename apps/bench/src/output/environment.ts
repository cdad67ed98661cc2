import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, platform, release } from 'node:os';

import type { Environment } from './results.js';

/** The machine, and what the caller knows of the run. */
export function environmentOf(
  run: Pick<Environment, 'command' | 'model' | 'text' | 'seed' | 'repetitions' | 'gpu'>,
): Environment {
  return {
    date: new Date().toISOString(),
    version: packageVersion(),
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    ...run,
  };
}

/** Of this package, which can name itself wherever it lies. */
export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('@jit-attention/bench/package.json') as { version: string }).version;
}

/** The command as the user can repeat it: through pnpm in the workspace, else by its own name. */
export function commandOf(argv: readonly string[]): string {
  const inWorkspace = process.env.npm_lifecycle_event === 'bench';
  const words = [inWorkspace ? 'npx -y pnpm@10 bench' : 'jit-attention-bench', ...argv.map(quoted)];
  return words.join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
