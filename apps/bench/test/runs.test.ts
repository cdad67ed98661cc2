import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { allRuns, drawRuns, lastRuns, STRETCH } from '../src/measure/runs.js';

const CASES = { numRuns: Number(process.env.JIT_ATTENTION_CASES ?? 50), seed: 20261 };

const anySample = fc.record({
  tokens: fc.integer({ min: 1, max: 5000 }),
  runs: fc.integer({ min: 1, max: 8 }),
  length: fc.constantFrom(16, 32, 64),
  seed: fc.nat(),
});

describe('allRuns', () => {
  it('covers every query once, in order, in stretches', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (tokens) => {
        let end = 0;
        for (const { start, count } of allRuns(tokens)) {
          expect(start).toBe(end);
          expect(count).toBeGreaterThan(0);
          expect(count).toBeLessThanOrEqual(STRETCH);
          end += count;
        }
        expect(end).toBe(tokens);
      }),
      CASES,
    );
  });
});

describe('lastRuns', () => {
  it('is the end of all runs', () => {
    expect(lastRuns(4096, 2)).toEqual([
      { start: 3072, count: 512 },
      { start: 3584, count: 512 },
    ]);
    expect(lastRuns(700, 2)).toEqual(allRuns(700));
    expect(lastRuns(4096, Infinity)).toEqual(allRuns(4096));
  });
});

describe('drawRuns', () => {
  it('draws as many queries as asked for, apart and in order, each run in its part of the context', () => {
    fc.assert(
      fc.property(anySample, ({ tokens, runs, length, seed }) => {
        const drawn = drawRuns(tokens, { runs, length }, seed);
        if (tokens <= runs * length) {
          expect(drawn).toEqual([{ start: 0, count: tokens }]);
          return;
        }
        expect(drawn).toHaveLength(runs);
        const part = Math.floor(tokens / length) / runs;
        drawn.forEach(({ start, count }, i) => {
          expect(count).toBe(length);
          expect(start % length).toBe(0);
          expect(start / length).toBeGreaterThanOrEqual(Math.floor(i * part));
          expect(start / length).toBeLessThan((i + 1) * part);
        });
        expect(tokens - drawn.at(-1)!.start).toBeLessThan(2 * length);
      }),
      CASES,
    );
  });

  it('repeats with the seed, and only with it', () => {
    const draw = (seed: number): unknown => drawRuns(4096, { runs: 4, length: 64 }, seed);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });
});
