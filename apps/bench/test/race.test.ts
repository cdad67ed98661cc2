import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isMet, ratio, Rows } from '../src/race/case.js';
import type { Contender, Lap } from '../src/race/contender.js';
import { race } from '../src/race/race.js';
import { rowOf } from '../src/race/rows.js';

const CASES = { numRuns: Number(process.env.JIT_ATTENTION_CASES ?? 50), seed: 20262 };

interface Script {
  /** Of the runs, the first one checked. */
  readonly ms?: readonly (number | undefined)[];
  readonly output?: readonly number[];
  readonly same?: boolean;
  readonly failsAt?: 'start' | number;
}

/** Says what its script says; `calls` keeps the order of all. */
function contender(
  name: string,
  { ms = [100], output, same, failsAt }: Script,
  calls: string[],
): Contender {
  let runs = 0;
  const lap = (): Lap => ({
    ms: ms[Math.min(runs++, ms.length - 1)],
    ...(output && { output: () => Promise.resolve(Float32Array.from(output)) }),
  });
  return {
    facts: {
      ...{ implementation: name, strategy: 'dense', backend: 'cpu', threads: 1, tokens: 8 },
      ...{ queries: 8, heads: 1, kvHeads: 1, headDim: 4, budget: null },
    },
    same,
    flops: 2e6,
    start: () =>
      failsAt === 'start'
        ? Promise.reject(new Error('does not start\nat all'))
        : Promise.resolve({
            run() {
              calls.push(name);
              return runs === failsAt
                ? Promise.reject(new Error('stumbles'))
                : Promise.resolve(lap());
            },
            dispose: () => void calls.push(`${name} gone`),
          }),
  };
}

describe('race', () => {
  it('times one that may differ, and says that it does', async () => {
    const all = [
      contender('a', { output: [1, 2] }, []),
      { ...contender('b', { output: [1, 3], same: true }, []), mayDiffer: true },
    ];
    const [, { ms, error, note }] = await race(all, { rounds: 1 });
    expect([ms, error]).toEqual([100, undefined]);
    expect(note).toMatch(/wrong: 4\.5e-1 away/);
  });

  it('checks all first, then lets them take turns, then lets go of all', async () => {
    const calls: string[] = [];
    const all = [contender('a', {}, calls), contender('b', {}, calls)];
    await race(all, { rounds: 2 });
    expect(calls).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a gone', 'b gone']);
  });

  it('gives the median of the rounds; the run that was checked is none of them', async () => {
    const ms = fc.array(fc.integer({ min: 20, max: 9000 }), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(ms, async (times) => {
        const [outcome] = await race([contender('a', { ms: [9999, ...times] }, [])], { rounds: 3 });
        expect(outcome.ms).toBe([...times].sort((a, b) => a - b)[1]);
        expect(outcome.note).toBeUndefined();
      }),
      CASES,
    );
  });

  it('times what is slow once, and says so', async () => {
    const calls: string[] = [];
    const [outcome] = await race([contender('slow', { ms: [10_001, 1] }, calls)], { rounds: 3 });
    expect(calls).toEqual(['slow', 'slow gone']);
    expect(outcome).toMatchObject({ ms: 10_001, note: 'timed once, in the run that was checked' });
  });

  it('runs what is short several times a round', async () => {
    const calls: string[] = [];
    await race([contender('short', { ms: [5] }, calls)], { rounds: 2 });
    expect(calls.filter((name) => name === 'short')).toHaveLength(1 + 2 * 4);
  });

  it('does not time what is no matter of time', async () => {
    const [outcome] = await race([contender('a', { ms: [undefined] }, [])], { rounds: 2 });
    expect(outcome).toMatchObject({ ms: undefined, error: undefined, note: undefined });
  });

  it.each<[string, Script, RegExp]>([
    ['does not start', { failsAt: 'start' }, /^does not start$/],
    ['fails when it is checked', { failsAt: 0 }, /^stumbles$/],
    ['fails later', { failsAt: 2 }, /^stumbles$/],
    ['gives no numbers', { output: [1, NaN] }, /expected finite outputs, got NaN/],
    ['computes something else', { output: [1, 3], same: true }, /within 0.0001, got one .* away/],
  ])('keeps the place of who %s, with the error', async (_, script, error) => {
    const ours = contender('ours', { output: [1, 2] }, []);
    const outcomes = await race([ours, contender('theirs', script, [])], { rounds: 2 });
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, expect.stringMatching(error)]);
    expect(outcomes[1].ms).toBeUndefined();
    expect(
      rowOf('peers', { name: 'any', title: '', contenders: [], figures: () => [] }, outcomes[1]),
    ).toMatchObject({
      suite: 'peers',
      case: 'any',
      implementation: 'theirs',
      metrics: { ms: null, gflops: null },
      error: expect.stringMatching(error) as string,
    });
  });

  it('says how far an output is from ours', async () => {
    const all = [{ output: [3, 4] }, { output: [3, 4.00005], same: true }];
    const outcomes = await race(
      all.map((script, i) => contender(`${i}`, script, [])),
      { rounds: 1 },
    );
    expect(outcomes[1].outputError).toBeCloseTo(1e-5, 6);
  });

  it('compares with who is named, not with the first', async () => {
    const first = contender('first', { output: [3, 4] }, []);
    const second = contender('second', { output: [30, 40] }, []);
    const third = { ...contender('third', { output: [30, 40] }, []), same: second };
    const outcomes = await race([first, second, third], { rounds: 1 });
    expect(outcomes.map(({ outputError }) => outputError)).toEqual([undefined, undefined, 0]);
    const wrong = await race([first, { ...third, same: first }], { rounds: 1 });
    expect(wrong[1].error).toMatch(/within 0.0001, got one .* away/);
  });
});

describe('figures', () => {
  it('are met, not met, or not judged', () => {
    const figure = { what: '', unit: 'factor' } as const;
    expect(isMet({ ...figure, value: 2, atLeast: 2 })).toBe(true);
    expect(isMet({ ...figure, value: 1.9, atLeast: 2 })).toBe(false);
    expect(isMet({ ...figure, value: 2.1, atMost: 2 })).toBe(false);
    expect(isMet({ ...figure, value: 2 })).toBeUndefined();
    expect(isMet({ ...figure, value: undefined, atLeast: 2 })).toBeUndefined();
  });

  it('are made from rows by their facts', async () => {
    const outcomes = await race([contender('a', { ms: [50] }, [])], { rounds: 1 });
    const one = { name: 'any', title: '', contenders: [], figures: () => [] };
    const rows = new Rows(outcomes.map((outcome) => rowOf('kernels', one, outcome)));
    expect(rows.ms({ implementation: 'a', tokens: 8 })).toBe(50);
    expect(rows.gflops({ implementation: 'a' })).toBeCloseTo(0.04, 10);
    expect(rows.ms({ implementation: 'b' })).toBeUndefined();
    expect(ratio(rows.ms({ implementation: 'b' }), 2)).toBeUndefined();
  });
});
