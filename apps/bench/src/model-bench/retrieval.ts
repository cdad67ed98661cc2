import type { AdoptedModel, SequenceOfModel } from '@jit-attention/onnx';

import type { Haystack, Question } from './needles.js';
import { argmax } from './statistics.js';
import { feedsOf } from './subject.js';

/** How often the code at a depth was found. */
export interface Found {
  readonly depth: number;
  readonly found: number;
  readonly cases: number;
}

/**
 * Reads each haystack once, and asks every question on a fork of what was read. A code counts as found when greedy
 * generation gives all of it: when each of its tokens is the most probable after those before it.
 */
export async function retrieve(
  model: AdoptedModel,
  haystacks: readonly Haystack[],
  onTokens: (count: number) => void,
): Promise<Found[]> {
  const answers: { depth: number; right: boolean }[] = [];
  for (const { ids, questions } of haystacks) {
    const sequence = model.sequence();
    try {
      await sequence.step(feedsOf(ids), { logits: 0 });
      onTokens(ids.length);
      for (const question of questions)
        answers.push({ depth: question.depth, right: await isAnswered(sequence, question) });
    } finally {
      sequence.dispose();
    }
  }
  return byDepth(answers);
}

async function isAnswered(sequence: SequenceOfModel, question: Question): Promise<boolean> {
  const { ids, answer } = question;
  const fork = sequence.fork();
  try {
    const given = [...ids, ...answer.slice(0, -1)];
    const outputs = await fork.step(feedsOf(given), { logits: answer.length });
    const logits = outputs['logits'].data as Float32Array;
    const vocabulary = logits.length / answer.length;
    return answer.every(
      (id, i) => argmax(logits.subarray(i * vocabulary, (i + 1) * vocabulary)) === id,
    );
  } finally {
    fork.dispose();
  }
}

function byDepth(answers: readonly { depth: number; right: boolean }[]): Found[] {
  const depths = [...new Set(answers.map(({ depth }) => depth))].sort((a, b) => a - b);
  return depths.map((depth) => {
    const here = answers.filter((answer) => answer.depth === depth);
    return { depth, found: here.filter(({ right }) => right).length, cases: here.length };
  });
}
