import { GGMLQuantizationType } from '@huggingface/gguf';
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { convert } from '../src/convert.js';
import { f32, type KnownTensor } from './support/encode.js';
import { folder } from './support/folder.js';
import { METADATA, tinyTensors } from './support/tiny-llama.js';
import { type Value, writeGguf } from './support/write-gguf.js';

const without = (key: string) =>
  Object.fromEntries(Object.entries(METADATA).filter(([name]) => name !== key));

/** Converts what `make` writes; expects an error, and nothing written. */
async function refused(
  make: (path: string) => void,
  code: string,
  message: string | RegExp,
): Promise<void> {
  const place = folder();
  const path = join(place, 'tiny.gguf');
  make(path);
  const before = readdirSync(place);
  const error: unknown = await convert(path, join(place, 'model'), { show: 'silent' }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
  expect(readdirSync(place)).toEqual(before);
}

describe('a file that is none', () => {
  it('is not there', () => refused(() => {}, 'MISSING_INPUT', /cannot open .*tiny\.gguf/));

  it('is a directory', () => refused((path) => mkdirSync(path), 'MISSING_INPUT', /is not a file/));

  it('is something else', () =>
    refused(
      (path) => writeFileSync(path, 'not a model'),
      'MODEL_INVALID',
      /cannot be read as GGUF/,
    ));

  it('is empty', () =>
    refused((path) => writeFileSync(path, ''), 'MODEL_INVALID', /cannot be read as GGUF/));

  it('is cut off in its tensors', () =>
    refused(
      (path) => {
        writeGguf(path, METADATA, tinyTensors({ tied: true }));
        truncateSync(path, 60_000);
      },
      'MODEL_INVALID',
      /has 60000 bytes, expected at least \d+: the tensor blk\.\S+ is cut off/,
    ));
});

describe('keys', () => {
  const cases: [string, Record<string, Value>, string, RegExp][] = [
    [
      'another architecture',
      { ...METADATA, 'general.architecture': 'qwen2' },
      'UNSUPPORTED',
      /expected the architecture llama, got qwen2/,
    ],
    ['experts', { ...METADATA, 'llama.expert_count': 8 }, 'UNSUPPORTED', /has 8 experts/],
    [
      'scaled positions',
      { ...METADATA, 'llama.rope.scaling.type': 'yarn' },
      'UNSUPPORTED',
      /rotary positions are scaled \(yarn\)/,
    ],
    [
      'positions on a part of a head',
      { ...METADATA, 'llama.rope.dimension_count': 8 },
      'UNSUPPORTED',
      /turn 8 of 16 values/,
    ],
    [
      'no size',
      without('llama.block_count'),
      'MODEL_INVALID',
      /a number under .*block_count, which/,
    ],
    [
      'a size of another type',
      { ...METADATA, 'llama.block_count': 'two' },
      'MODEL_INVALID',
      /block_count, which is string/,
    ],
    ['no tokenizer', without('tokenizer.ggml.model'), 'MODEL_INVALID', /has no tokenizer/],
    ['no merges', without('tokenizer.ggml.merges'), 'MODEL_INVALID', /merges, which is not there/],
    [
      'another kind of tokenizer',
      { ...METADATA, 'tokenizer.ggml.model': 'llama' },
      'UNSUPPORTED',
      /expected a byte-level BPE tokenizer \(gpt2\), got llama/,
    ],
    [
      'no way to split a text',
      without('tokenizer.ggml.pre'),
      'UNSUPPORTED',
      /splits a text as default, expected one of/,
    ],
    [
      'an unknown way to split a text',
      { ...METADATA, 'tokenizer.ggml.pre': 'tekken' },
      'UNSUPPORTED',
      /splits a text as tekken, expected one of gpt-2, smollm/,
    ],
  ];
  it.each(cases)('%s', (_, metadata, code, message) =>
    refused((path) => writeGguf(path, metadata, tinyTensors({ tied: true })), code, message),
  );
});

describe('tensors', () => {
  const write = (tensors: readonly KnownTensor[]) => (path: string) =>
    writeGguf(path, METADATA, tensors);
  const all = tinyTensors({ tied: true });

  it('one is missing', () =>
    refused(
      write(all.filter(({ name }) => name !== 'blk.1.ffn_up.weight')),
      'MODEL_INVALID',
      /has no tensor blk\.1\.ffn_up\.weight/,
    ));

  it('one too many', () =>
    refused(
      write([...all, f32('blk.0.attn_q.bias', [64])]),
      'UNSUPPORTED',
      /a plain Llama has no tensor blk\.0\.attn_q\.bias/,
    ));

  it('one of another shape', () =>
    refused(
      write([...all.slice(1), f32('token_embd.weight', [10, 64])]),
      'MODEL_INVALID',
      /token_embd\.weight is \[10, 64\], expected \[263, 64\]/,
    ));

  it('one in a format that is not known', () =>
    refused(
      write(
        all.map((tensor, i) =>
          i === 3 ? { ...tensor, type: GGMLQuantizationType.IQ4_XS } : tensor,
        ),
      ),
      'UNSUPPORTED',
      /blk\.0\.attn_q\.weight has the format IQ4_XS, expected one of F32, F16, BF16, Q4_0/,
    ));
});
