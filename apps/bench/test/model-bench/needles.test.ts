import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { modelDirectory } from '@jit-attention/reference-model';

import { bookText, encodeUpTo, loadTokenizer } from '../../src/model/index.js';
import { DEPTHS, haystacks } from '../../src/model-bench/needles.js';

const CASES = { numRuns: Number(process.env.JIT_ATTENTION_CASES ?? 50), seed: 20267 };
const tokenizer = loadTokenizer(modelDirectory);
const text = encodeUpTo(tokenizer, bookText(), 4000);
const decode = (ids: readonly number[]): string => tokenizer.decode([...ids]);

describe('haystacks', () => {
  it('have the tokens asked for, and hide what is asked for', () => {
    const settings = fc.record({
      tokens: fc.integer({ min: 256, max: 2000 }),
      count: fc.integer({ min: 1, max: 4 }),
      codes: fc.constantFrom(1, 2, 4),
      seed: fc.nat(1000),
    });
    fc.assert(
      fc.property(settings, (options) => {
        const made = haystacks(tokenizer, text, options);
        expect(made).toHaveLength(options.count);
        for (const { ids, questions } of made) {
          expect(ids).toHaveLength(options.tokens);
          expect(questions).toHaveLength(options.codes);
          const words = decode(ids);
          for (const { ids: question, answer } of questions) {
            const sentence = decode([...question, ...answer]);
            expect(sentence).toMatch(/^\n\nThe secret code of [A-Z][a-z]+ is \d{5}$/);
            expect(words).toContain(` ${sentence.trim()}.`);
          }
        }
      }),
      CASES,
    );
  });

  it('lie at their depths, all of which have their turn', () => {
    const made = haystacks(tokenizer, text, { tokens: 2000, count: 4, codes: 2, seed: 1 });
    for (const { ids, questions } of made) {
      for (const { depth, ids: question, answer } of questions) {
        const before = decode(ids).split(` ${decode([...question, ...answer]).trim()}.`)[0];
        const at = encodeUpTo(tokenizer, before, 5000).length / ids.length;
        expect(Math.abs(at - depth)).toBeLessThan(0.03); // the other code, and cut words, shift it
      }
    }
    const depths = made.flatMap(({ questions }) => questions.map(({ depth }) => depth));
    expect(depths.sort((a, b) => a - b)).toEqual(DEPTHS);
  });

  it('repeat with the seed, and differ with it', () => {
    const at = (seed: number): string =>
      JSON.stringify(haystacks(tokenizer, text, { tokens: 300, count: 2, codes: 2, seed }));
    expect(at(1)).toBe(at(1));
    expect(at(1)).not.toBe(at(2));
  });
});
