import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { afterEach, expect, it, vi } from 'vitest';

import { main } from '../src/program.js';
import { folder } from './support/folder.js';
import { METADATA, tinyTensors } from './support/tiny-llama.js';
import { writeGguf } from './support/write-gguf.js';

const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
afterEach(() => printed.mockClear());

it('converts where the user stands', async () => {
  const place = folder();
  vi.stubEnv('INIT_CWD', place);
  writeGguf(join(place, 'tiny.gguf'), METADATA, tinyTensors({ tied: true }));
  expect(await main(['convert', 'tiny.gguf', 'models/tiny', '--dtype', 'fp16'])).toBe(0);
  expect(existsSync(join(place, 'models/tiny/onnx/model_fp16.onnx_data'))).toBe(true);
});

it('says what is wrong and what to do, without a stack', async () => {
  expect(await main(['check', join(folder(), 'nothing')])).toBe(2);
  // In CI the word is red.
  expect(stripVTControlCharacters(printed.mock.calls.join())).toMatch(
    /error .*nothing has no config\.json\n {2}hint: give a/s,
  );
});

it.each([
  [['convert', 'a']],
  [['convert', 'a', 'b', '--dtype', 'q4']],
  [['check', 'a', '--tokens', '1']],
])('refuses %j', async (args) => {
  expect(await main(args)).toBe(1);
});
