import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { allowed, scope } from '../layers.js';

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const packages = join(import.meta.dirname, '../../../packages');

/** Our own packages (without the scope) among `dependencies`. */
function ours(...dependencies: (Record<string, string> | undefined)[]): string[] {
  return dependencies
    .flatMap((group) => Object.keys(group ?? {}))
    .filter((name) => name.startsWith(scope))
    .map((name) => name.slice(scope.length));
}

const folders = readdirSync(packages).filter((f) => existsSync(join(packages, f, 'package.json')));

describe.each(folders)('packages/%s/package.json', (folder) => {
  const text = readFileSync(join(packages, folder, 'package.json'), 'utf8');
  const manifest = JSON.parse(text) as Manifest;

  it('is named after its folder', () => {
    expect(manifest.name).toBe(scope + folder);
  });

  it('depends in the one direction', () => {
    const { dependencies, peerDependencies, devDependencies } = manifest;
    expect(allowed('packages', folder, false)).toEqual(
      expect.arrayContaining(ours(dependencies, peerDependencies)),
    );
    expect(allowed('packages', folder, true)).toEqual(
      expect.arrayContaining(ours(devDependencies)),
    );
  });

  it('has core as a regular dependency: as a peer it would make every minor a major', () => {
    expect(ours(manifest.peerDependencies)).toEqual([]);
  });
});
