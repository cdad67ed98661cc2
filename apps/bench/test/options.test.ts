import { existsSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { runMain } from './run-main.js';
import { Folder, writeSynthetic } from './synthetic.js';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
  writeSynthetic(folder);
  folder.write('empty.txt', '\n');
});
afterAll(() => folder.dispose());

/** Each is refused with a sentence and status 2, and nothing is written. */
const refused: readonly (readonly [args: string, message: string | RegExp])[] = [
  ['--tokens 12x', '--tokens: expected whole numbers from 1 with commas between them, got 12x'],
  ['--tokens 0', '--tokens: expected whole numbers from 1 with commas between them, got 0'],
  ['--tokens 64,,128', '--tokens: expected a list with commas between its items, got 64,,128'],
  ['--budget -8', '--budget: expected whole numbers from 1 with commas between them, got -8'],
  ['--budget 2.5', '--budget: expected whole numbers from 1 with commas between them, got 2.5'],
  ['--seed x', '--seed: expected a whole number from 0, got x'],
  ['--threads 0', '--threads: expected whole numbers from 1 with commas between them, got 0'],
  ['--backend reference --threads 2', '--threads: expected at most 1 for backend reference, got 2'],
  [
    '--backend cpu,reference --threads 2,3',
    '--threads: expected at most 1 for backend reference, got 2',
  ],
  ['--threads 300', '--threads: expected at most 256 for backend cpu, got 300'],
  ['--backend gpu', '--backend: expected reference, cpu, webgpu, got gpu'],
  [
    '--strategy sparse',
    /--strategy: expected dense, windowed, .*, got sparse\n.*\.\/my-strategy\.mjs/,
  ],
  ['--strategy ./none.mjs', /--strategy: expected a file, got .*none\.mjs, which does not exist/],
  [
    '--qkv none.safetensors',
    /--qkv: expected a file, got .*none\.safetensors, which does not exist/,
  ],
  ['--model none', /--model: expected a directory, got .*none, which does not exist/],
  ['--text empty.txt/none.txt', /--text: expected a file, got .*, which does not exist/],
  ['--text none.txt', /--text: expected a file, got .*none\.txt, which does not exist/],
  ['--qkv qkv.safetensors --model .', 'overview: expected --qkv or --model, got both'],
  ['--qkv qkv.safetensors --text a.txt', 'overview: expected --qkv or --text, got both'],
  ['--qkv qkv.safetensors --tokens 64,512', '--tokens: expected at most 320'],
  ['--qkv qkv.safetensors --layers 1,7', /expected some of 0, 1, got.*7/],
  ['--qkv qkv.safetensors --json .', /--json: expected a file, got a directory/],
  [
    '--qkv qkv.safetensors --json qkv.safetensors/x/y.json',
    /--json: expected a path through folders, got .*y\.json, where .*qkv\.safetensors is a file/,
  ],
  [
    '--qkv qkv.safetensors --html qkv.safetensors/y.html',
    /--html: expected a path through folders/,
  ],
  ['--text empty.txt', /--text: expected a text to read, got .*empty\.txt, which is empty/],
];

describe('overview refuses, before any work,', () => {
  it.each(refused)('%s', async (args, message) => {
    const { status, out, err } = await runMain(args.split(' '), folder.path);
    expect(err).toMatch(message);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(existsSync(folder.at('results'))).toBe(false);
  });

  it.each(['overview', 'kernels', 'peers'])('%s: WebGPU without an adapter', async (command) => {
    vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(null) } });
    const { status, out, err } = await runMain([command, '--backend', 'webgpu'], folder.path);
    vi.unstubAllGlobals();
    expect(err).toMatch(/expected a WebGPU adapter, got none[^]*hint: in Node install .*webgpu/);
    expect([status, out]).toEqual([2, '']);
    expect(existsSync(folder.at('results'))).toBe(false);
  });

  it('an option that it does not know', async () => {
    const { status, err } = await runMain(['--token', '64'], folder.path);
    expect(err).toMatch(/unknown option '--token'[^]*--tokens/);
    expect(status).toBe(1);
  });
});

describe('the command line', () => {
  it('names every option of overview in its help', async () => {
    const { status, out } = await runMain(['overview', '--help'], folder.path);
    expect(status).toBe(0);
    const options =
      'strategy backend threads tokens budget layers model qkv text seed json html quick';
    for (const option of options.split(' ')) expect(out).toContain(`--${option}`);
  });

  it('says its version', async () => {
    const { status, out } = await runMain(['--version'], folder.path);
    expect(status).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+/);
  });
});
