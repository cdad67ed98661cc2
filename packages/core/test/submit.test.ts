import { createAttention, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { everyEntry } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

/** A backend that counts how often it is told to hand over what is queued. */
function counting(): { backend: ReturnType<typeof reference>; submissions: () => number } {
  let submissions = 0;
  const backend = Object.assign(reference(), { submit: () => void submissions++ });
  return { backend, submissions: () => submissions };
}

describe('submit', () => {
  it('comes once a chunk of queries, behind all that the chunk asks for', async () => {
    const { backend, submissions } = counting();
    const layer = createAttention({ ...LAYER, backend, queryChunk: 4, strategy: everyEntry() });
    (await layer.run(new Text(10).slice(0, 10))).dispose();
    expect(submissions()).toBe(3);
  });

  it('comes once a decode step', async () => {
    const { backend, submissions } = counting();
    const layer = createAttention({ ...LAYER, backend, layout: 'bthd', strategy: everyEntry() });
    const sequence = layer.sequence();
    const permute = backend.permute.bind(backend);
    const before: number[] = [];
    backend.permute = (...call) => (before.push(submissions()), permute(...call));
    (await sequence.attend(new Text(1).slice(0, 1))).dispose();
    expect(submissions()).toBe(1);
    expect(new Set(before)).toEqual(new Set([0]));
    sequence.dispose();
  });
});
