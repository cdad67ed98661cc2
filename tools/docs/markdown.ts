/** What the tests of the documentation read out of a Markdown page. */

/** A fenced block of code. */
export interface Block {
  /** First word behind the fence: `ts`, `js`, `sh`, `text`. */
  readonly language: string;
  /** What follows it, as `name=value`: `file=`, `excerpt=`, `of=`. */
  readonly options: Readonly<Record<string, string>>;
  readonly code: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

/** A link or an image, as written. */
export interface Link {
  readonly target: string;
  readonly line: number;
}

interface Line {
  readonly text: string;
  readonly number: number;
  /** The block that the line is inside of, from 0; undefined: prose. Fences belong to neither. */
  readonly block: number | undefined;
  readonly isFence: boolean;
}

function linesOf(markdown: string): Line[] {
  let blocks = 0;
  let isInside = false;
  return markdown.split('\n').map((text, i) => {
    const isFence = /^\s*(```|~~~)/.test(text);
    if (isFence) isInside = !isInside;
    if (isFence && isInside) blocks++;
    return { text, number: i + 1, block: isInside ? blocks - 1 : undefined, isFence };
  });
}

/** The fenced blocks of a page, in order. */
export function blocksOf(markdown: string): Block[] {
  const lines = linesOf(markdown);
  return lines
    .filter(({ isFence, block }) => isFence && block !== undefined)
    .map(({ text, number, block }) => {
      const [language, ...options] = text
        .replace(/^\s*(```|~~~)/, '')
        .trim()
        .split(/\s+/);
      const code = lines.filter((line) => !line.isFence && line.block === block);
      return {
        language,
        options: Object.fromEntries(
          options.map((option) => option.split('=', 2) as [string, string]),
        ),
        code: code.map((line) => `${line.text}\n`).join(''),
        line: number,
      };
    });
}

/** The links of a page's prose; what stands in code is none. */
export function linksOf(markdown: string): Link[] {
  return proseOf(markdown).flatMap(({ text, number }) =>
    [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, target]) => ({
      target,
      line: number,
    })),
  );
}

/** What GitHub calls the headings of a page. */
export function anchorsOf(markdown: string): string[] {
  return proseOf(markdown)
    .map(({ text }) => /^#{1,6} (.*)$/.exec(text)?.[1])
    .filter((heading) => heading !== undefined)
    .map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    );
}

const proseOf = (markdown: string): Line[] =>
  linesOf(markdown).filter(({ isFence, block }) => !isFence && block === undefined);
