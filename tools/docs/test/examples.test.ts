import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';

import { format as prettier, resolveConfig } from 'prettier';
import { afterAll, describe, expect, it, vi } from 'vitest';

import { type Block, blocksOf } from '../markdown.js';
import { type Page, pages, root } from '../pages.js';
import { typeErrors } from '../types.js';
import { Workshop } from '../workshop.js';

/**
 * Code in the documentation cannot rot: a block of `ts` or `js` is either a file that is run here as it stands
 * (`file=name.ts`), with the output that the page shows for it (`text of=name.ts`), or a part of a file of this
 * repository, word for word (`excerpt=path`).
 */
const workshop = new Workshop();

// Whether the suites on the pages run is the question here; what they test is tested elsewhere, in more cases.
vi.stubEnv('JIT_ATTENTION_CASES', '5');

afterAll(() => workshop.remove());

/** A file in the documentation, as it was written into the workshop. */
interface Example {
  readonly file: string;
  readonly path: string;
  /** What it prints, where the page says so. */
  readonly output: string | undefined;
}

const isCode = ({ language }: Block): boolean => ['ts', 'js'].includes(language);

function examplesOf({ path, text }: Page): Example[] {
  const blocks = blocksOf(text);
  return blocks.filter(isCode).flatMap(({ options: { file }, code }) => {
    if (file === undefined) return [];
    const output = blocks.find(({ options }) => options.of === file)?.code;
    return [{ file, path: workshop.write(path.replaceAll(/[/.]/g, '-'), file, code), output }];
  });
}

/** What a module prints while it loads. */
async function printed(path: string): Promise<string> {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
    lines.push(`${format(...values)}\n`);
  });
  try {
    await import(path);
  } finally {
    log.mockRestore();
  }
  return lines.join('');
}

const withoutIndent = (text: string): string => text.replaceAll(/^\s+/gm, '').trimEnd();

/** A file of tests registers them as it loads, here; any other runs in a test. */
async function runsAsPasted({ file, path, output }: Example): Promise<void> {
  if (/\.test\.[jt]s$/.test(file)) return void (await import(path));
  it(`${file} runs as pasted`, async () => {
    const text = await printed(path);
    if (output !== undefined) expect(text).toBe(output);
  });
}

function isFormatted({ file, path }: Example): void {
  it(`${file} is formatted as code is`, async () => {
    const config = await resolveConfig(join(root, 'example.ts'));
    const code = readFileSync(path, 'utf8');
    expect(await prettier(code, { ...config, filepath: path })).toBe(code);
  });
}

function quotes({ options: { excerpt }, code }: Block): void {
  it(`shows ${excerpt} as it is`, () => {
    const source = readFileSync(join(root, excerpt), 'utf8');
    expect(withoutIndent(source)).toContain(withoutIndent(code));
  });
}

function hasNoLooseCode({ path, text }: Page): void {
  it('runs or quotes every block of code', () => {
    const loose = blocksOf(text)
      .filter(isCode)
      .filter(({ options }) => !options.file && !options.excerpt);
    const places = loose.map(({ line }) => `${path}:${line}`);
    expect(places, 'mark them `file=name.ts` or `excerpt=path`').toEqual([]);
  });
}

const documented = pages()
  .filter(({ text }) => blocksOf(text).some(isCode))
  .map((page) => ({ page, examples: examplesOf(page) }));

for (const { page, examples } of documented) {
  describe(page.path, async () => {
    for (const example of examples) await runsAsPasted(example);
    examples.forEach(isFormatted);
    blocksOf(page.text)
      .filter(({ options }) => options.excerpt)
      .forEach(quotes);
    hasNoLooseCode(page);
  });
}

describe('examples of all pages', () => {
  it('have no type errors', () => {
    const conditions = process.env.TEST_BUILT ? [] : ['@jit-attention/source'];
    const paths = documented.flatMap(({ examples }) => examples.map(({ path }) => path));
    const typed = paths.filter((path) => path.endsWith('.ts'));
    expect(typeErrors(typed, conditions)).toEqual([]);
  });
});
