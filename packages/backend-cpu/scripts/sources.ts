import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The package's folder. */
export const root: string = join(import.meta.dirname, '..');

/** What the generated files are made from, without what only checks it. */
const FOLDERS = ['assembly', 'worker', 'scripts'];

/** A fingerprint of all sources; the generated files carry the one they were made from. */
export function fingerprint(): string {
  const hash = createHash('sha256');
  for (const path of FOLDERS.flatMap(filesBelow)) {
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}
