import { describe, expect, it } from 'vitest';

import type { AdoptedModel, SequenceOfModel } from '@jit-attention/onnx';

import { compare, read } from '../../src/model-bench/perplexity.js';
import { retrieve } from '../../src/model-bench/retrieval.js';

const VOCABULARY = 4;

/** Says that the next token is the last one plus 1, with odds of 5 to 1 to 1 to 1; no memory. */
function counting(): Pick<AdoptedModel, 'sequence'> {
  const sequence = (): Partial<SequenceOfModel> => ({
    fork: () => sequence() as SequenceOfModel,
    dispose: () => undefined,
    step: ({ input_ids }, { logits: rows = 1 } = {}) => {
      const ids = input_ids.data as number[];
      const wanted = rows === 'all' ? ids : rows === 0 ? [] : ids.slice(-rows);
      const data = Float32Array.from(
        wanted.flatMap((id) =>
          Array.from({ length: VOCABULARY }, (_, next) =>
            next === (id + 1) % VOCABULARY ? Math.log(5) : 0,
          ),
        ),
      );
      const logits = { data, dims: [1, wanted.length, VOCABULARY], type: 'float32' };
      return Promise.resolve({ logits: { ...logits, dispose: () => undefined } });
    },
  });
  return { sequence: sequence as AdoptedModel['sequence'] };
}

const model = counting() as AdoptedModel;
const onTokens = (): void => undefined;

describe('read', () => {
  it('predicts all tokens of a window but its first, and leaves out a rest', async () => {
    const text = [0, 1, 2, /**/ 3, 3, 0, /**/ 1, 1];
    const { losses, samples } = await read(model, text, { tokens: 3, stride: 2, onTokens });
    // 0→1, 1→2 as it says; 3→3 not, 3→0 as it says
    const [right, wrong] = [Math.log(8 / 5), Math.log(8)];
    expect([...losses]).toEqual(
      [right, right, wrong, right].map((loss) => expect.closeTo(loss, 6) as number),
    );
    expect(samples).toHaveLength(2);
    const { perplexity, cases, divergence } = compare({ losses, samples }, { losses, samples });
    expect(perplexity.value).toBeCloseTo(((8 / 5) ** 3 * 8) ** (1 / 4), 5);
    expect([cases, divergence.value]).toEqual([4, 0]);
  });
});

describe('retrieve', () => {
  it('counts an answer when all of its tokens come out, by depth', async () => {
    const question = (depth: number, answer: number[]) => ({ depth, ids: [2, 0], answer });
    const haystack = {
      ids: [1, 2, 3],
      questions: [question(0.5, [1, 2]), question(0.25, [1, 3]), question(0.5, [2])],
    };
    expect(await retrieve(model, [haystack], onTokens)).toEqual([
      { depth: 0.25, found: 0, cases: 1 },
      { depth: 0.5, found: 1, cases: 2 },
    ]);
  });
});
