import {
  type AttentionStrategy,
  type Backend,
  JitAttentionError,
  reference,
  topk,
} from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { adaptive } from '../../judges/adaptive.js';
import { csa } from '../../judges/csa.js';
import { csa2 } from '../../judges/csa2.js';
import { hca } from '../../judges/hca.js';
import { lightning } from '../../judges/lightning.js';
import { topP } from '../../judges/top-p.js';
import {
  attentionsOf,
  cutInputs,
  holds,
  type LayerSpec,
  randomInputs,
  SequenceStack,
  span,
} from './support/index.js';
import { latentProblems, type LatentProblem, learned } from './support/latent.js';

/** Keeps nothing itself: the budget is what the audit that has just arrived asks for. */
const listener: AttentionStrategy = {
  name: 'listener',
  apiVersion: 1,
  supports: { exact: true, sync: true, bidirectional: false },
  audit: { sample: 1, delay: 3 },
  plan({ query, keys, layer, ops, feedback }) {
    const missed = feedback.some(({ recall }) => recall.min < 0.5);
    const score = { kind: 'softmax', query, keys, scale: layer.scale } as const;
    return {
      branches: [{ keys: 'cache', selection: ops.select({ score, pick: topk(missed ? 6 : 2) }) }],
    };
  },
};

const INDEXER = { budget: 3, indexHeads: 2, indexWidth: 4 };

/** Strategies by name; those that forget refuse to go back beyond `rollback`. */
const strategies = (problem: LatentProblem) => {
  const { frequencies, headDim } = problem;
  const weights = (backend: Backend) => ({
    norm: learned(problem, 'norm', headDim).on(backend),
    indexNorm: learned(problem, 'indexNorm', INDEXER.indexWidth).on(backend),
    projection: learned(problem, 'projection', INDEXER.indexWidth, headDim).on(backend),
    frequencies,
  });
  return {
    lightning: () => lightning(INDEXER),
    'top-p': () => topP({ p: 0.8, pages: 3 }),
    hca: (backend: Backend) => hca({ ratio: 4, window: 3, ...weights(backend) }),
    csa: (backend: Backend) => csa({ ratio: 3, window: 3, ...INDEXER, ...weights(backend) }),
    csa2: (backend: Backend) => csa2({ ratio: 2, window: 3, ...INDEXER, ...weights(backend) }),
    adaptive: () =>
      adaptive((budget) => lightning({ ...INDEXER, budget }), {
        ...{ start: 4, min: 2, max: 12, target: 0.6, delay: 2, sample: 1 },
      }),
    listener: () => listener,
  };
};
const NAMES = ['lightning', 'top-p', 'hca', 'csa', 'csa2', 'adaptive', 'listener'] as const;
const FORGETFUL = ['hca', 'csa', 'csa2', 'adaptive', 'listener'] as const;

/** One context, a length it goes back to after 20 tokens, and how far it then goes on. */
const cases = fc.record({
  problem: latentProblems().map((problem) => ({ ...problem, lengths: [40] })),
  back: fc.nat(20),
  end: fc.integer({ min: 20, max: 40 }),
});

/** A sequence on a backend of its own that decodes a token at a time. */
function decoder(problem: LatentProblem, strategy: LayerSpec['strategy']) {
  const inputs = randomInputs(problem, strategy(reference()).requires, 'key');
  const layer: LayerSpec = { strategy, inputs, options: { values: 'key' } };
  const [attention] = attentionsOf(reference(), problem, [layer]);
  const stack = new SequenceStack([layer], [attention.sequence()]);
  const outputs: Float32Array[] = [];
  const decode = async (start: number, end: number): Promise<void> => {
    for (const position of span(start, end)) {
      const step = cutInputs(inputs, { start: [position], counts: [1] });
      const [result] = await stack.call([step], [1]);
      outputs[position] = await result.output.data();
      result.dispose();
    }
  };
  return { stack, outputs, decode };
}

/** The length after the attempt; a refusal changes none. */
function goBack(stack: SequenceStack, length: number): number {
  const [before] = stack.lengths;
  const refusal = refusalOf(() => stack.truncate([length]));
  expect(stack.lengths).toEqual([refusal ? before : length]);
  return stack.lengths[0];
}

/** `ROLLBACK_EXCEEDED`, or undefined when nothing is thrown. */
function refusalOf(truncate: () => void): JitAttentionError | undefined {
  try {
    truncate();
    return undefined;
  } catch (error) {
    if (JitAttentionError.is(error) && error.code === 'ROLLBACK_EXCEEDED') return error;
    throw error;
  }
}

describe.each(NAMES)('%s', (name) => {
  it('goes on after a truncation, or its refusal, as if nothing had been', () =>
    holds([cases], async ({ problem, back, end }) => {
      const [straight, crooked] = [0, 1].map(() => decoder(problem, strategies(problem)[name]));
      await straight.decode(0, end);
      await crooked.decode(0, 20);
      const resumed = goBack(crooked.stack, back);
      if (back >= 20 - problem.rollback) expect(resumed).toBe(back);
      await crooked.decode(resumed, end);
      expect(crooked.outputs).toEqual(straight.outputs);
    }));
});

describe.each(FORGETFUL)('%s', (name) => {
  it('refuses to go back beyond what it keeps, and says how far it can', async () => {
    const problem: LatentProblem = {
      ...{ seed: 1, lengths: [30], kvHeads: 1, group: 2, headDim: 4, valueDim: 4 },
      ...{ pageSize: 2, queryChunk: 8, rollback: 4, frequencies: [1, 0.3] },
    };
    const { stack, decode } = decoder(problem, strategies(problem)[name]);
    await decode(0, 30);
    const refusal = refusalOf(() => stack.truncate([0]));
    expect(refusal).toMatchObject({ code: 'ROLLBACK_EXCEEDED', actual: 0 });
    expect(refusal?.expected).toBeLessThanOrEqual(26);
    expect(stack.lengths).toEqual([30]);
    stack.truncate([refusal?.expected as number]);
    expect(stack.lengths).toEqual([refusal?.expected]);
  });
});
