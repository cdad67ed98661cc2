/**
 * Refuses, in every text file of the repository, what leads out of it: a clone must be whole.
 * Part of `pnpm lint`, because eslint sees only code.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
// put together here, so that this file does not contain it
const forbidden = ['..', 'shared'].join('/');

const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
});

let hits = 0;
for (const path of listed.split('\0').filter(Boolean)) {
  const file = join(root, path);
  // deleted but not yet staged, or a link
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) continue;
  const bytes = readFileSync(file);
  if (bytes.subarray(0, 8192).includes(0)) continue; // binary
  for (const [index, line] of bytes.toString('utf8').split('\n').entries()) {
    if (!line.includes(forbidden)) continue;
    hits++;
    console.error(`${path}:${index + 1}: '${forbidden}' lies outside the repository`);
  }
}
process.exitCode = hits > 0 ? 1 : 0;
