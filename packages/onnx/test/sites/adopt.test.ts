import { holds } from '@jit-attention/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { FAMILIES, type Kind, SIZES, type Sizes, VOCABULARY } from '../support/graphs/index.js';
import type { Step } from '../support/original.js';
import { sideBySide } from '../support/side-by-side.js';

const STEPS: readonly Step[] = [
  {
    ids: [
      [1, 2, 3, 4, 5, 6, 7],
      [8, 9, 10, 11, 12, 13, 14],
    ],
  },
  { ids: [[15], [16]] },
  { ids: [[17], [18]] },
];

const RAGGED: readonly Step[] = [{ ...STEPS[0], lengths: [4, 7] }, ...STEPS.slice(1)];

describe.each(Object.entries(FAMILIES))('%s', (_, kinds) => {
  test.each(kinds)('$name', async (kind) => {
    expect(Math.max(...(await sideBySide(kind, SIZES, STEPS)))).toBeLessThan(1);
  });

  test.each(kinds.filter(({ padded }) => padded))(
    '$name, texts of unequal length',
    async (kind) => {
      expect(Math.max(...(await sideBySide(kind, SIZES, RAGGED)))).toBeLessThan(1);
    },
  );
});

test('any kind, of any sizes, with any tokens, a chunk of a prompt at a time', async () => {
  await holds([cases()], async ({ kind, sizes, steps, chunk }) => {
    expect(Math.max(...(await sideBySide(kind, sizes, steps, { chunk })))).toBeLessThan(1);
  });
}, 600_000);

interface Case {
  readonly kind: Kind;
  readonly sizes: Sizes;
  readonly steps: readonly Step[];
  readonly chunk: number;
}

const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

function cases(): fc.Arbitrary<Case> {
  return fc.record({
    kind: fc.constantFrom(...Object.values(FAMILIES).flat()),
    sizes: sizes(),
    steps: texts(),
    chunk: whole(1, 12),
  });
}

function sizes(): fc.Arbitrary<Sizes> {
  const parts = fc.record({
    kvHeads: whole(1, 3),
    shared: whole(1, 3),
    layers: whole(1, 2),
    seed: fc.nat(),
  });
  // GroupQueryAttention rotates multiples of 16 channels
  return fc
    .tuple(parts, fc.constantFrom(16, 32))
    .map(([{ shared, kvHeads, ...rest }, headDim]) => ({
      ...rest,
      ...{ kvHeads, heads: shared * kvHeads, headDim },
    }));
}

/** A prompt and up to three tokens that follow, of one to three texts. */
function texts(): fc.Arbitrary<Step[]> {
  return fc.tuple(whole(1, 3), whole(1, 12), whole(0, 3)).chain(([batch, prompt, more]) => {
    const step = (tokens: number): fc.Arbitrary<Step> => {
      const row = listOf(tokens, fc.nat(VOCABULARY - 1));
      return fc.record({ ids: listOf(batch, row) });
    };
    return fc.tuple(step(prompt), ...Array.from({ length: more }, () => step(1)));
  });
}

function listOf<T>(length: number, one: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(one, { minLength: length, maxLength: length });
}
