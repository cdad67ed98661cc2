import { dense } from '@jit-attention/strategy-dense';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ON_CPU } from '../src/peers/all.js';
import { contenderOf } from '../src/peers/contender.js';
import { headsFirst, tokensFirst } from '../src/peers/heads.js';
import { PEERS } from '../src/peers/suite.js';
import { Rows } from '../src/race/case.js';
import { prefill } from '../src/race/prefill.js';
import { race } from '../src/race/race.js';
import { EIGHT_HEADS } from '../src/race/shape.js';

const CASES = { numRuns: Number(process.env.JIT_ATTENTION_CASES ?? 50), seed: 20263 };
const shape = { ...EIGHT_HEADS, tokens: 96 };

describe('peers', () => {
  it('each compute what we do, in processes of their own', async () => {
    const ours = prefill({ ...shape, strategy: dense() });
    const outcomes = await race([ours, ...ON_CPU.map((peer) => contenderOf(peer, shape))], {
      rounds: 1,
    });
    for (const { error, outputError, ms, contender } of outcomes) {
      expect([contender.facts.implementation, error]).toEqual([
        contender.facts.implementation,
        undefined,
      ]);
      expect(ms).toBeGreaterThan(0);
      if (contender !== ours) expect(outputError).toBeLessThan(1e-5);
    }
  });

  it('that are not there are rows with errors', async () => {
    const missing = { ...ON_CPU[0], implementation: 'nobody' };
    const [{ error }] = await race([contenderOf(missing, shape)], { rounds: 1 });
    expect(error).toMatch(/nobody/);
  });

  it('have figures for every one of them, or none where nothing was measured', () => {
    const all = PEERS.backends.flatMap((backend) => PEERS.cases(8, backend));
    for (const one of all) {
      const figures = one.figures(new Rows([]));
      expect(figures.length).toBeGreaterThan(0);
      for (const { value } of figures) expect(value).toBeUndefined();
    }
  });
});

describe('tokensFirst', () => {
  const sizes = fc.record({
    heads: fc.integer({ min: 1, max: 5 }),
    tokens: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 7 }),
  });

  it('moves each row, and headsFirst moves it back', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ heads, tokens, width }, draw) => {
        const data = Float32Array.from({ length: heads * tokens * width }, (_, i) => i);
        const [head, token] = [draw % heads, draw % tokens];
        const moved = tokensFirst(data, heads, width);
        expect(moved[(token * heads + head) * width]).toBe(data[(head * tokens + token) * width]);
        expect(headsFirst(moved, heads, width)).toEqual(data);
      }),
      CASES,
    );
  });
});
