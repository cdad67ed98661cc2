import { type AttentionStrategy, JitAttentionError, topk } from '@jit-attention/core';
import fc from 'fast-check';

import { Bench } from '../../src/backend/bench.js';
import type { BackendSuite } from '../../src/backend/suite.js';
import { assertSame } from '../../src/compare.js';
import type { Runner } from '../../src/runner.js';
import { adaptive } from '../../judges/adaptive.js';
import { csa } from '../../judges/csa.js';
import { csa2 } from '../../judges/csa2.js';
import { hca } from '../../judges/hca.js';
import { lightning } from '../../judges/lightning.js';
import { topP } from '../../judges/top-p.js';
import {
  attentionsOf,
  cutInputs,
  exam,
  example,
  type Ground,
  type LayerSpec,
  randomInputs,
  requiresOf,
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
  const weights = (bench: Bench) => ({
    norm: learned(problem, 'norm', headDim).on(bench),
    indexNorm: learned(problem, 'indexNorm', INDEXER.indexWidth).on(bench),
    projection: learned(problem, 'projection', INDEXER.indexWidth, headDim).on(bench),
    frequencies,
  });
  return {
    lightning: () => lightning(INDEXER),
    'top-p': () => topP({ p: 0.8, pages: 3 }),
    hca: (bench: Bench) => hca({ ratio: 4, window: 3, ...weights(bench) }),
    csa: (bench: Bench) => csa({ ratio: 3, window: 3, ...INDEXER, ...weights(bench) }),
    csa2: (bench: Bench) => csa2({ ratio: 2, window: 3, ...INDEXER, ...weights(bench) }),
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

export function testRollback(runner: Runner, suite: BackendSuite): void {
  for (const name of NAMES) {
    runner.describe(`rollback of ${name}, ${suite.name}`, () => {
      const goes = 'goes on after a truncation, or its refusal, as if nothing had been';
      exam(runner, suite, goes, [cases], (ground, { problem, ...way }) =>
        goesOn(ground, problem, strategies(problem)[name], way),
      );
    });
  }
  for (const name of FORGETFUL) {
    runner.describe(`rollback of ${name}, ${suite.name}`, () => {
      const refuses = 'refuses to go back beyond what it keeps, and says how far it can';
      example(runner, suite, refuses, (ground) => refusesToGoFar(ground, strategies(LONG)[name]));
    });
  }
}

/** A sequence that decodes a token at a time. */
function decoder({ backend }: Ground, problem: LatentProblem, strategy: LayerSpec['strategy']) {
  const inputs = randomInputs(problem, requiresOf({ strategy }), 'key');
  const layer: LayerSpec = { strategy, inputs, options: { values: 'key' } };
  const bench = new Bench(backend);
  const [attention] = attentionsOf(bench, problem, [layer]);
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
  const dispose = async (): Promise<void> => {
    stack.dispose();
    bench.clear();
    await new Promise((resolve) => setTimeout(resolve, 0)); // Audits that nobody waits for end.
  };
  return { stack, outputs, decode, dispose };
}

async function goesOn(
  ground: Ground,
  problem: LatentProblem,
  strategy: LayerSpec['strategy'],
  { back, end }: { readonly back: number; readonly end: number },
): Promise<void> {
  const [straight, crooked] = [0, 1].map(() => decoder(ground, problem, strategy));
  await straight.decode(0, end);
  await crooked.decode(0, 20);
  const resumed = goBack(crooked.stack, back);
  if (back >= 20 - problem.rollback) assertSame('length', [resumed], [back]);
  await crooked.decode(resumed, end);
  straight.outputs.forEach((output, position) =>
    assertSame(`output at ${position}`, crooked.outputs[position], output),
  );
  await straight.dispose();
  await crooked.dispose();
}

/** The length after the attempt; a refusal changes none. */
function goBack(stack: SequenceStack, length: number): number {
  const [before] = stack.lengths;
  const refusal = refusalOf(() => stack.truncate([length]));
  assertSame('lengths', stack.lengths, [refusal ? before : length]);
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

const LONG: LatentProblem = {
  ...{ seed: 1, lengths: [30], kvHeads: 1, group: 2, headDim: 4, valueDim: 4 },
  ...{ pageSize: 2, queryChunk: 8, rollback: 4, frequencies: [1, 0.3] },
};

async function refusesToGoFar(ground: Ground, strategy: LayerSpec['strategy']): Promise<void> {
  const { stack, decode, dispose } = decoder(ground, LONG, strategy);
  await decode(0, 30);
  const refusal = refusalOf(() => stack.truncate([0]));
  assertSame('actual', [refusal?.actual as number], [0]);
  const furthest = refusal?.expected as number;
  if (!(furthest <= 26)) throw new Error(`expected to go back to 26 at least, got ${furthest}`);
  assertSame('length', stack.lengths, [30]);
  stack.truncate([furthest]);
  assertSame('length', stack.lengths, [furthest]);
  await dispose();
}
