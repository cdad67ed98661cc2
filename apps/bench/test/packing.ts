import { execFile } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const packages = resolve(import.meta.dirname, '../../../packages');

/** Builds packages by the names of their folders; turbo's cache makes it cheap. */
export async function build(names: readonly string[]): Promise<void> {
  const filters = names.map((name) => `--filter=@jit-attention/${name}`);
  await pnpm(['exec', 'turbo', 'run', 'build', ...filters], resolve(packages, '..'));
}

/** Puts tarballs of a package, and of what it needs that is not ours, into a directory: nothing is fetched. */
export async function packWithDependencies(name: string, directory: string): Promise<string[]> {
  const folder = join(packages, name);
  const { stdout } = await pnpm(['pack', '--json', '--pack-destination', directory], folder);
  const { filename } = JSON.parse(stdout) as { filename: string };
  const manifest = readFileSync(join(folder, 'package.json'), 'utf8');
  const { dependencies = {} } = JSON.parse(manifest) as { dependencies?: Record<string, string> };
  const foreign = Object.keys(dependencies).filter((one) => !one.startsWith('@jit-attention/'));
  const tarballs = [filename];
  for (const one of foreign) {
    const source = realpathSync(join(folder, 'node_modules', one));
    const packed = await run('npm', ['pack', '--silent', '--ignore-scripts', source], {
      cwd: directory,
    });
    tarballs.push(`./${packed.stdout.trim()}`);
  }
  return tarballs;
}

/** The pnpm that runs us; without one, the README's. */
function pnpm(args: readonly string[], cwd: string): Promise<{ stdout: string }> {
  const own = process.env.npm_execpath;
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' };
  return own?.includes('pnpm')
    ? run(process.execPath, [own, ...args], { cwd, env })
    : run('npx', ['-y', 'pnpm@10', ...args], { cwd, env });
}
