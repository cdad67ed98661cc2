import { Tokenizer } from '@huggingface/tokenizers';
import { inputError } from '@jit-attention/core';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { readJson } from './directory.js';

/** Characters tried for each token wanted; twice as many each time they are too few. */
const CHARACTERS_A_TOKEN = 6;

/** The tokenizer of a Hugging Face directory; its `tokenizer_config.json` may be absent. */
export function loadTokenizer(directory: string): Tokenizer {
  const name = 'tokenizer_config.json';
  const config = existsSync(join(directory, name)) ? readJson(directory, name) : {};
  return new Tokenizer(readJson(directory, 'tokenizer.json') as object, config as object);
}

/**
 * The first `tokens` token ids of a text, special ones as the tokenizer adds them.
 *
 * @throws `INVALID_OPTION` if the text has fewer
 */
export function encode(tokenizer: Tokenizer, text: string, tokens: number): number[] {
  const ids = encodeUpTo(tokenizer, text, tokens);
  if (ids.length === tokens) return ids;
  throw inputError('tokens', `at most the ${ids.length} tokens of the text`, tokens, {
    hint: 'ask for fewer, or give a longer text',
  });
}

/** The first `tokens` token ids of a text; all of them where it has fewer. */
export function encodeUpTo(tokenizer: Tokenizer, text: string, tokens: number): number[] {
  for (let length = tokens * CHARACTERS_A_TOKEN; ; length *= 2) {
    const { ids } = tokenizer.encode(text.slice(0, length));
    // the last few tokens of a part may differ from those of the whole
    if (length >= text.length || ids.length >= tokens + 64) return ids.slice(0, tokens);
  }
}
