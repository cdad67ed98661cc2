import {
  AutoModelForCausalLM,
  AutoTokenizer,
  env,
  type PreTrainedTokenizer,
} from '@huggingface/transformers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { check } from '../src/check.js';
import { convert } from '../src/convert.js';
import { lossOf } from '../src/perplexity.js';
import { straightLogits } from './support/straight.js';
import { METADATA, tinyTensors, TOKENS } from './support/tiny-llama.js';
import { writeGguf } from './support/write-gguf.js';

const root = mkdtempSync(join(tmpdir(), 'jit-attention-gguf-'));
const directory = join(root, 'model');

beforeAll(async () => {
  env.allowRemoteModels = false;
  env.localModelPath = root;
  writeGguf(join(root, 'tiny.gguf'), METADATA, tinyTensors({ tied: true }));
  await convert(join(root, 'tiny.gguf'), directory, { show: 'silent' });
});
afterAll(() => rmSync(root, { recursive: true }));

describe('the tokenizer in transformers.js', () => {
  let tokenizer: PreTrainedTokenizer;
  beforeAll(async () => {
    tokenizer = await AutoTokenizer.from_pretrained('model');
  });
  const pieces = (text: string): string[] => tokenizer.encode(text).map((id) => TOKENS[id]);

  it('merges', () => {
    expect(pieces('in the')).toEqual(['in', 'Ġthe']);
  });

  it('leaves digits alone, whatever the merges', () => {
    expect(pieces('12 2')).toEqual(['1', '2', 'Ġ', '2']);
  });

  it('knows special tokens in a text', () => {
    expect(tokenizer.encode('<s>he</s>')).toEqual([0, TOKENS.indexOf('he'), 1]);
  });

  it('gives back what it was given', () => {
    const text = "It's 12.5 % – naïve café, 東京 😀½\n\n\tthe end  ";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it('has the chat template', () => {
    const messages = [{ role: 'user', content: 'he' }];
    expect(tokenizer.apply_chat_template(messages, { tokenize: false })).toBe('<s>he</s>');
  });
});

it('generates in transformers.js what plain f64 says', async () => {
  const model = await AutoModelForCausalLM.from_pretrained('model', { dtype: 'fp32' });
  const tokenizer = await AutoTokenizer.from_pretrained('model');
  const inputs = tokenizer('the thin end') as Record<string, unknown>;
  const output = (await model.generate({ ...inputs, max_new_tokens: 8, do_sample: false })) as {
    tolist(): bigint[][];
  };
  await model.dispose();
  expect(output.tolist()[0].map(Number)).toEqual(greedy(tokenizer.encode('the thin end'), 8));
});

function greedy(given: readonly number[], count: number): number[] {
  const tensors = tinyTensors({ tied: true });
  const ids = [...given];
  while (ids.length < given.length + count && ids.at(-1) !== 1) {
    const last = straightLogits(tensors, ids).at(-1)!;
    ids.push(last.indexOf(Math.max(...last)));
  }
  return ids;
}

it('check gives the perplexity of a book and an answer', async () => {
  const options = { dtype: 'fp32', tokens: 40, context: 20, prompt: 'the', answer: 3 } as const;
  const { perplexity, answer } = await check(directory, { ...options, show: 'silent' });
  const tokenizer = await AutoTokenizer.from_pretrained('model');
  const ids = tokenizer.encode('Call me Ishmael. Some years ago—never mind how long precisely');
  expect(Math.log(perplexity)).toBeCloseTo(straightLoss(ids.slice(0, 40), 20), 4);
  expect(typeof answer).toBe('string');
});

function straightLoss(ids: number[], context: number): number {
  const losses = [0, context].flatMap((from) => {
    const window = ids.slice(from, from + context);
    const logits = straightLogits(tinyTensors({ tied: true }), window);
    return window.slice(1).map((id, i) => {
      const total = logits[i].reduce((sum, logit) => sum + Math.exp(logit), 0);
      return Math.log(total) - logits[i][id];
    });
  });
  return losses.reduce((a, b) => a + b) / losses.length;
}

it('the loss of large logits is finite', () => {
  expect(lossOf(Float32Array.of(1000, 1000), 0)).toBeCloseTo(Math.log(2), 6);
});
