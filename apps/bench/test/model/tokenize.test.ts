import { modelDirectory } from '@jit-attention/reference-model';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';

import { bookText, readText } from '../../src/model/index.js';
import { openSafetensors } from '../../src/model/safetensors.js';
import { encode, loadTokenizer } from '../../src/model/tokenize.js';
import { emptyDirectory, removeDirectories } from './graphs.js';

afterAll(removeDirectories);

it('opens the book at chapter 1', () => {
  const text = bookText();
  expect(text).toMatch(/^CHAPTER 1. Loomings.\n\nCall me Ishmael. Some years ago--never mind/);
  expect(text).toMatch(/\n\nEpilogue /);
  expect(text.length).toBeGreaterThan(1_000_000);
});

it('gives the ids that the model was trained with', () => {
  const fixture = join(modelDirectory, '../test/fixtures/reference.safetensors');
  const { tensors } = openSafetensors(fixture);
  const expected = (name: string) => Array.from(new Int32Array(tensors.get(name)!.read().buffer));
  const ids = encode(loadTokenizer(modelDirectory), bookText(), 24_096);
  expect(ids.slice(0, 128)).toEqual(expected('short.ids'));
  expect(ids.slice(20_000)).toEqual(expected('long.ids'));
});

it('gives the same ids, however much of the text it looks at', () => {
  const tokenizer = loadTokenizer(modelDirectory);
  const all = tokenizer.encode(bookText().slice(0, 50_000)).ids;
  for (const count of [1, 100, 3000]) {
    expect(encode(tokenizer, bookText(), count)).toEqual(all.slice(0, count));
  }
});

it('reads a text from a file', () => {
  const file = join(emptyDirectory(), 'text.txt');
  writeFileSync(file, 'Ünter, 海');
  expect(readText(file)).toBe('Ünter, 海');
  expect(() => readText(`${file}.none`)).toThrow(/cannot read the text/);
});
