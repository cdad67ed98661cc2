import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import { describe, expect, it } from 'vitest';

import { anchorsOf, linksOf } from '../markdown.js';
import { pages, root } from '../pages.js';

const isOutside = (target: string): boolean => /^[a-z]+:/.test(target);

/** Whether a link of a page leads to a file of the repository and, with `#`, to a heading in it. */
function leadsSomewhere(page: string, target: string): boolean {
  const [file, anchor] = target.split('#', 2);
  const path = file === '' ? page : normalize(join(dirname(page), file));
  if (path.startsWith('..') || !existsSync(join(root, path))) return false;
  if (anchor === undefined || !path.endsWith('.md')) return true;
  return anchorsOf(readFileSync(join(root, path), 'utf8')).includes(anchor);
}

describe('links', () => {
  it.each(pages().map((page) => [page.path, page] as const))('of %s lead somewhere', (_, page) => {
    const broken = linksOf(page.text)
      .filter(({ target }) => !isOutside(target) && !leadsSomewhere(page.path, target))
      .map(({ target, line }) => `${page.path}:${line}: ${target}`);
    expect(broken).toEqual([]);
  });
});
