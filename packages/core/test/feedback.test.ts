import {
  audit,
  type AttentionStrategy,
  createAttention,
  fromQuery,
  ranges,
  type Sequence,
  type Step,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { attendNext, attendRows } from './support/calls.js';
import { leakFree } from './support/leaks.js';
import { planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const DELAY = 2;
const text = new Text(40, { batch: 2 });
const alone = new Text(40);

/** Reads the newest entry, and notes the numbers of the steps whose reports each of its steps is given. */
function listening(): { strategy: AttentionStrategy; told: number[][] } {
  const told: number[][] = [];
  const inner = planning(({ feedback }: Step) => {
    told.push(feedback.map(({ step }) => step));
    return { branches: [{ keys: 'cache', selection: ranges([fromQuery(), fromQuery(1)]) }] };
  });
  return { strategy: audit(inner, { sample: 1, delay: DELAY }), told };
}

/** Decodes one token after another. */
async function decode(sequence: Sequence, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await attendNext(sequence, alone, 1);
}

describe('feedback', () => {
  it('arrives `delay` steps after its own, once', () =>
    leakFree(async (backend) => {
      const { strategy, told } = listening();
      const sequence = createAttention({ ...LAYER, backend, strategy }).sequence();
      await decode(sequence, 6);
      expect(told).toEqual([[], [], [0], [1], [2], [3]]);
      sequence.dispose();
    }));

  it('takes a chunk of queries for a step', () =>
    leakFree(async (backend) => {
      const { strategy, told } = listening();
      const sequence = createAttention({ ...LAYER, queryChunk: 2, backend, strategy }).sequence();
      await attendNext(sequence, alone, 7);
      await decode(sequence, 2);
      expect(told).toEqual([[], [], [0], [1], [2], [3]]);
      sequence.dispose();
    }));

  it('is nothing without a delay', () =>
    leakFree(async (backend) => {
      const { strategy, told } = listening();
      const deaf = { ...strategy, audit: { sample: 1 } };
      const sequence = createAttention({ ...LAYER, backend, strategy: deaf }).sequence();
      await decode(sequence, 4);
      expect(told).toEqual([[], [], [], []]);
      sequence.dispose();
    }));

  it('follows truncation, as if the forgotten steps had never been', () =>
    leakFree(async (backend) => {
      const { strategy, told } = listening();
      const sequence = createAttention({ ...LAYER, backend, strategy }).sequence();
      await decode(sequence, 6);
      sequence.truncate(4);
      told.length = 0;
      await decode(sequence, 3);
      expect(told).toEqual([[2], [3], [4]]);
      sequence.dispose();
    }));

  it('goes its own way in a fork', () =>
    leakFree(async (backend) => {
      const { strategy, told } = listening();
      const sequence = createAttention({ ...LAYER, backend, strategy }).sequence();
      await decode(sequence, 4);
      const fork = sequence.fork();
      told.length = 0;
      await decode(fork, 2);
      expect(told.splice(0)).toEqual([[2], [3]]);
      await decode(sequence, 2);
      expect(told).toEqual([[2], [3]]);
      for (const one of [sequence, fork]) one.dispose();
    }));

  it('does not count a call that failed', () =>
    leakFree(async (backend) => {
      const { strategy, told } = listening();
      let chunk = -1;
      const failing: AttentionStrategy = {
        ...strategy,
        plan(step) {
          if (chunk-- === 0) throw new Error('bang');
          return strategy.plan(step);
        },
      };
      const sequence = createAttention({
        ...LAYER,
        queryChunk: 2,
        backend,
        strategy: failing,
      }).sequence();
      await decode(sequence, 3);
      chunk = 1; // the second chunk of the next call
      await expect(attendNext(sequence, alone, 4)).rejects.toMatchObject({
        code: 'STRATEGY_FAILED',
      });
      told.length = 0;
      await decode(sequence, 3);
      expect(told).toEqual([[1], [2], [3]]);
      sequence.dispose();
    }));

  it('does not forget steps when nothing is taken back: rows of unequal length', () =>
    leakFree(async (backend) => {
      const { strategy, told } = listening();
      const sequence = createAttention({ ...LAYER, queryChunk: 2, backend, strategy }).sequence({
        batch: 2,
      });
      await attendRows(sequence, text, [5, 1]); // the second row is over in the first of three chunks
      await attendRows(sequence, text, [1, 6], 2); // the first row has no query in this one
      sequence.truncate(sequence.length);
      told.length = 0;
      await attendRows(sequence, text, [1, 1]);
      await attendRows(sequence, text, [1, 1]);
      expect(told).toEqual([[2], [3]]);
      sequence.dispose();
    }));

  it('keeps its numbers over long runs in flat memory', () =>
    leakFree(async (backend) => {
      const { strategy, told } = listening();
      const sequence = createAttention({ ...LAYER, rollback: 3, backend, strategy }).sequence();
      await decode(sequence, 30);
      expect(told.slice(2)).toEqual(Array.from({ length: 28 }, (_, step) => [step]));
      sequence.truncate(27);
      told.length = 0;
      await decode(sequence, 2);
      expect(told).toEqual([[25], [26]]);
      sequence.dispose();
    }));
});
