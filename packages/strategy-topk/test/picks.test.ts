import { audit, createAttention, reference, type Summary } from '@jit-attention/core';
import { callOf, holds, inputsOf, optionsOf, type Problem, problems } from '@jit-attention/testkit';
import { describe, expect, it } from 'vitest';

import { topk, type TopkOptions } from '../src/index.js';

/** The entries that the only kv head reads for its last query: values are one-hot, so outputs are weights. */
async function reads(
  options: TopkOptions,
  { queries, keys, pageSize = 2 }: { queries: number[]; keys: number[]; pageSize?: number },
): Promise<number[]> {
  const attention = createAttention({
    ...{ backend: reference(), strategy: topk(options) },
    ...{ heads: queries.length, kvHeads: 1, headDim: 1, valueDim: keys.length, pageSize },
  });
  const value = Float32Array.from({ length: keys.length ** 2 }, (_, i) =>
    i % (keys.length + 1) === 0 ? 1 : 0,
  );
  const [query, key] = [Float32Array.from(queries), Float32Array.from(keys)];
  const { output } = await attention.run({ query, key, value });
  const weights = await output.data();
  return keys.map((_, entry) => entry).filter((entry) => weights[entry] > 0);
}

describe('topk over tokens', () => {
  const token = { granularity: 'token', sinks: 0 } as const;
  const keys = [3, 1, 4, 1, 5, 2];

  it('reads the entries with the largest scores', async () => {
    expect(await reads({ ...token, budget: 3 }, { queries: [1], keys })).toEqual([0, 2, 4]);
    expect(await reads({ ...token, budget: 3 }, { queries: [-1], keys })).toEqual([1, 3, 5]);
  });

  it('gives ties to the lower index', async () => {
    expect(await reads({ ...token, budget: 2 }, { queries: [0], keys })).toEqual([0, 1]);
  });

  it('counts sinks and recent entries', async () => {
    const options = { ...token, budget: 3, sinks: 1, recent: 1 };
    expect(await reads(options, { queries: [-1], keys })).toEqual([0, 1, 5]);
  });

  it('sums the probabilities of a group, or takes its largest logit', async () => {
    // One head has a large logit at entry 0; two others are nearly as sure of entry 1, with smaller ones.
    const problem = { queries: [9, -0.4, -0.4], keys: [1, -8, 0] };
    expect(await reads({ ...token, budget: 1 }, problem)).toEqual([1]);
    expect(await reads({ ...token, budget: 1, rankBy: 'logit' }, problem)).toEqual([0]);
  });
});

describe('topk over pages', () => {
  const keys = [0, 0, 9, -9, 1, 1, 2, 2, 0];

  it('reads the pages with the largest bounds, and the query’s own', async () => {
    const options = { budget: 4, sinks: 0 };
    expect(await reads(options, { queries: [1], keys })).toEqual([2, 3, 8]);
    expect(await reads({ ...options, budget: 6 }, { queries: [1], keys })).toEqual([2, 3, 6, 7, 8]);
  });

  it('reads the pages of the sinks', async () => {
    expect(await reads({ budget: 6, sinks: 1 }, { queries: [1], keys })).toEqual([0, 1, 2, 3, 8]);
  });

  it('rounds budgets up to whole pages', async () => {
    const read = await reads({ budget: 5, sinks: 0 }, { queries: [1], keys });
    expect(read).toEqual([2, 3, 6, 7, 8]);
  });

  it('takes the largest bound of a group', async () => {
    const problem = { queries: [1, -1], keys };
    expect(await reads({ budget: 4, sinks: 0 }, problem)).toEqual([2, 3, 8]);
  });
});

describe('captured mass', () => {
  const recallOf = async (problem: Problem, options: TopkOptions) => {
    const backend = reference();
    const strategy = audit(topk(options), { sample: 1 });
    const attention = createAttention({ ...optionsOf(problem), backend, strategy });
    const batch = problem.lengths.length;
    const { stats } = await attention.run({ ...callOf(inputsOf(problem)), batch });
    return (await stats()).recall!;
  };
  const granularities = ['token', 'page'] as const;

  it.each(granularities)('a larger budget captures no less: %s', (granularity) =>
    holds([problems()], async (problem) => {
      const recalls: Summary[] = [];
      for (const pages of [2, 3, 5]) {
        const budget = pages * problem.pageSize;
        recalls.push(await recallOf(problem, { budget, granularity, sinks: 1 }));
      }
      recalls.slice(1).forEach((recall, i) => {
        expect(recall.mean).toBeGreaterThanOrEqual(recalls[i].mean - 1e-9);
        expect(recall.min).toBeGreaterThanOrEqual(recalls[i].min - 1e-9);
      });
    }),
  );

  it('no pages capture more on average than the same number of tokens', () =>
    holds([problems()], async (problem) => {
      const options = { budget: 3 * problem.pageSize, sinks: 0 };
      const pages = await recallOf(problem, options);
      const tokens = await recallOf(problem, { ...options, granularity: 'token' });
      expect(tokens.mean).toBeGreaterThanOrEqual(pages.mean - 1e-9);
    }));
});
