import { env, pipeline, type TextGenerationPipeline } from '@huggingface/transformers';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { pathError } from './errors.js';
import { perplexity } from './perplexity.js';
import { type At, runStages, type Show } from './progress.js';
import { bookText } from './text.js';
import type { WeightType } from './weight-file.js';

export interface CheckOptions {
  readonly dtype: WeightType;
  /** Tokens of *Moby-Dick* to read. */
  readonly tokens: number;
  /** Tokens read at once; each such window is read without what comes before it. */
  readonly context: number;
  /** What to ask the model. */
  readonly prompt: string;
  /** Length of the answer at most, in tokens. */
  readonly answer: number;
  /** Default `auto`. */
  readonly show?: Show;
}

export interface CheckResult {
  /** A token, on the book. */
  readonly perplexity: number;
  /** To the prompt, greedy. */
  readonly answer: string;
}

/**
 * Shows whether a directory holds a working model, by transformers.js on onnxruntime-node: its perplexity on
 * a book, and its answer to a question.
 *
 * @throws {InputError} `MISSING_INPUT` if there is no such directory
 */
export async function check(directory: string, options: CheckOptions): Promise<CheckResult> {
  requireModel(directory);
  const { tokens, context, prompt, show = 'auto' } = options;
  let generator: TextGenerationPipeline | undefined;
  const result = { perplexity: NaN, answer: '' };
  const stages = [
    {
      title: `load ${directory}`,
      run: async () => void (generator = await load(directory, options.dtype)),
    },
    {
      title: `read ${tokens} tokens of Moby-Dick in windows of ${context}`,
      run: async (at: At) => {
        const { model, tokenizer } = generator!;
        const ids = tokenizer.encode(bookText(tokens), { add_special_tokens: false });
        result.perplexity = await perplexity(model, ids.slice(0, tokens), context, at);
      },
    },
    {
      title: `answer '${prompt}'`,
      run: async () => void (result.answer = await answer(generator!, options)),
    },
  ];
  try {
    await runStages(stages, show);
  } finally {
    await generator?.dispose();
  }
  return result;
}

function requireModel(directory: string): void {
  if (existsSync(join(directory, 'config.json'))) return;
  const hint = 'give a directory that `gguf convert` wrote';
  throw pathError(`${directory} has no config.json`, 'MISSING_INPUT', hint);
}

async function load(directory: string, dtype: WeightType): Promise<TextGenerationPipeline> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(directory);
  return pipeline('text-generation', basename(directory), { dtype });
}

/** A model that was not taught to chat, and so has no template, continues the prompt. */
async function answer(
  generator: TextGenerationPipeline,
  { prompt, answer }: CheckOptions,
): Promise<string> {
  const { tokenizer } = generator;
  const messages = [{ role: 'user', content: prompt }];
  const text = tokenizer.chat_template
    ? tokenizer.apply_chat_template(messages, { tokenize: false, add_generation_prompt: true })
    : prompt;
  const options = { max_new_tokens: answer, do_sample: false, return_full_text: false };
  const [{ generated_text }] = await generator(text, options);
  return generated_text;
}
