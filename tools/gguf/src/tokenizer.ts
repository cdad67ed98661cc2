import { invalid, unsupported } from './errors.js';
import type { GgufFile } from './gguf-file.js';

/** `tokenizer.ggml.token_type`: what a token is. Others are ordinary ones, or cannot occur. */
const CONTROL = 3;
const USER_DEFINED = 4;

const byteLevel = (options: object = {}) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: true,
  ...options,
});

/**
 * The original has `Digits` here, which means the same: every number is a piece of its own. But in
 * JavaScript's tokenizers that knows the ASCII digits only, and ½ or ² would give other tokens.
 */
const eachDigit = {
  type: 'Split',
  pattern: { Regex: '\\p{N}' },
  behavior: 'Isolated',
  invert: false,
};

/**
 * How a text is split before the merges, by `tokenizer.ggml.pre`. (`default` is not among them: llama.cpp
 * puts it where it did not know how the model's own tokenizer splits.)
 */
const PRE_TOKENIZERS: Readonly<Record<string, object>> = {
  'gpt-2': byteLevel(),
  smollm: { type: 'Sequence', pretokenizers: [eachDigit, byteLevel()] },
};

/** What is put into `tokenizer.json` and `tokenizer_config.json`. */
export interface TokenizerFiles {
  readonly tokenizer: object;
  readonly config: object;
}

/**
 * Rebuilds a byte-level BPE tokenizer from the tokens, their types and the merges of a GGUF file.
 *
 * @throws {ModelError} `MODEL_INVALID` if the file has no tokenizer; `UNSUPPORTED` for one of another kind
 */
export function rebuildTokenizer(file: GgufFile): TokenizerFiles {
  const { metadata } = file;
  requireByteLevel(file);
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  const added = addedTokens(tokens, metadata.numbers('tokenizer.ggml.token_type'));
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: preTokenizer(file),
    post_processor: postProcessor(file, tokens),
    decoder: byteLevel({ add_prefix_space: true }),
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: metadata.strings('tokenizer.ggml.merges'),
    },
  };
  return { tokenizer, config: tokenizerConfig(file, tokens, added) };
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

/** Tokens that are found in a text before anything else. */
function addedTokens(tokens: readonly string[], types: readonly number[]): AddedToken[] {
  return tokens.flatMap((content, id) => {
    if (types[id] !== CONTROL && types[id] !== USER_DEFINED) return [];
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return [{ id, content, ...plain, special: types[id] === CONTROL }];
  });
}

function requireByteLevel({ path, metadata }: GgufFile): void {
  if (!metadata.has('tokenizer.ggml.model')) {
    throw invalid(`${path} has no tokenizer`, 'take a file that was converted with its vocabulary');
  }
  const model = metadata.string('tokenizer.ggml.model');
  if (model === 'gpt2') return;
  throw unsupported(
    `${path}: expected a byte-level BPE tokenizer (gpt2), got ${model}`,
    'put the tokenizer.json of the original model beside a model converted elsewhere',
  );
}

function preTokenizer({ path, metadata }: GgufFile): object {
  const name = metadata.string('tokenizer.ggml.pre', 'default');
  if (Object.hasOwn(PRE_TOKENIZERS, name)) return PRE_TOKENIZERS[name];
  throw unsupported(
    `${path}: its tokenizer splits a text as ${name}, expected one of ${Object.keys(PRE_TOKENIZERS).join(', ')}`,
    'add the rule to tools/gguf/src/tokenizer.ts',
  );
}

/** Puts the first token of a text before it, where the model wants that. */
function postProcessor({ metadata }: GgufFile, tokens: readonly string[]): object | null {
  if (!metadata.boolean('tokenizer.ggml.add_bos_token', false)) return null;
  const id = metadata.number('tokenizer.ggml.bos_token_id');
  const bos = { SpecialToken: { id: tokens[id], type_id: 0 } };
  const sequence = (name: string) => ({ Sequence: { id: name, type_id: 0 } });
  return {
    type: 'TemplateProcessing',
    single: [bos, sequence('A')],
    pair: [bos, sequence('A'), bos, sequence('B')],
    special_tokens: { [tokens[id]]: { id: tokens[id], ids: [id], tokens: [tokens[id]] } },
  };
}

function tokenizerConfig(
  { metadata }: GgufFile,
  tokens: readonly string[],
  added: readonly AddedToken[],
): object {
  const token = (name: string, key: string) => {
    const full = `tokenizer.ggml.${key}_token_id`;
    return metadata.has(full) ? { [name]: tokens[metadata.number(full)] } : {};
  };
  const template = 'tokenizer.chat_template';
  return {
    tokenizer_class: 'GPT2Tokenizer',
    add_prefix_space: false,
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...rest }) => [id, rest])),
    ...token('bos_token', 'bos'),
    ...token('eos_token', 'eos'),
    ...token('unk_token', 'unknown'),
    ...token('pad_token', 'padding'),
    ...(metadata.has(template) ? { chat_template: metadata.string(template) } : {}),
    clean_up_tokenization_spaces: false,
    model_max_length: metadata.number('llama.context_length'),
  };
}
