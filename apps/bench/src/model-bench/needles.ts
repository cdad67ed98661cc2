import type { Tokenizer } from '@huggingface/tokenizers';

import { mulberry32 } from '../measure/runs.js';

/** A text that hides codes, and the questions about them. */
export interface Haystack {
  readonly ids: readonly number[];
  readonly questions: readonly Question[];
}

/** What follows the haystack. */
export interface Question {
  /** Where the code lies, as a share of the haystack. */
  readonly depth: number;
  /** The question, without the answer. */
  readonly ids: readonly number[];
  /** The answer, token by token: the five digits, and what the tokenizer puts before them. */
  readonly answer: readonly number[];
}

/** As in the reference model's training. */
const NAMES = (
  'Boston Richmond Lincoln Adams Monroe Texas Oregon Spain France Cuba Mexico Panama Havana ' +
  'Geneva London Berlin Tokyo Vienna Lisbon Athens Cairo Delhi Quebec Lima Oslo Rome Paris ' +
  'Madrid Turin Dover Salem Austin'
).split(' ');
/** Where codes may lie; a haystack has its codes at an even distance, the next one's lie one depth further. */
export const DEPTHS: readonly number[] = Array.from({ length: 8 }, (_, i) => (i + 0.5) / 8);

export interface HaystackOptions {
  /** Of a haystack, codes included. */
  readonly tokens: number;
  readonly count: number;
  /** Codes in each; divides 8. */
  readonly codes: number;
  readonly seed: number;
}

/**
 * Passages of a text with codes in them, `The secret code of X is 12345.`, each of which is asked for by its sentence
 * up to the code. The same seed gives the same ones.
 *
 * @param text token ids, at least `tokens`
 */
export function haystacks(
  tokenizer: Tokenizer,
  text: readonly number[],
  { tokens, count, codes, seed }: HaystackOptions,
): Haystack[] {
  const random = mulberry32(seed);
  const apart = DEPTHS.length / codes;
  return Array.from({ length: count }, (_, i) => {
    const start = Math.floor(random() * (text.length - tokens + 1));
    const hidden = drawn(NAMES, codes, random).map((name, code) => ({
      depth: DEPTHS[code * apart + (i % apart)],
      ...wordsOf(tokenizer, name, digits(random)),
    }));
    const length = tokens - hidden.reduce((sum, { fact }) => sum + fact.length, 0);
    const ids = text.slice(start, start + length);
    // from the end on: what is put in moves what comes behind it
    for (const { depth, fact } of [...hidden].reverse())
      ids.splice(Math.floor(depth * length), 0, ...fact);
    return { ids, questions: hidden.map(({ depth, question }) => ({ depth, ...question })) };
  });
}

interface Words {
  readonly fact: readonly number[];
  readonly question: Pick<Question, 'ids' | 'answer'>;
}

function wordsOf(tokenizer: Tokenizer, name: string, code: string): Words {
  const encode = (text: string): number[] =>
    tokenizer.encode(text, { add_special_tokens: false }).ids;
  const asked = encode(`\n\nThe secret code of ${name} is`);
  const whole = encode(`\n\nThe secret code of ${name} is ${code}`);
  const differs = asked.findIndex((id, i) => id !== whole[i]);
  const end = differs < 0 ? asked.length : differs;
  return {
    fact: encode(` The secret code of ${name} is ${code}.`),
    question: { ids: whole.slice(0, end), answer: whole.slice(end) },
  };
}

function drawn<T>(all: readonly T[], count: number, random: () => number): T[] {
  const left = [...all];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0]);
}

const digits = (random: () => number): string =>
  Array.from({ length: 5 }, () => Math.floor(random() * 10)).join('');
