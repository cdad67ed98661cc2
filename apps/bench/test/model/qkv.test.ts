import type { InputError } from '@jit-attention/core';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { type AttentionData, firstTokens, readQkv, writeQkv } from '../../src/model/index.js';
import { emptyDirectory, removeDirectories } from './graphs.js';

afterAll(removeDirectories);

const path = (): string => join(emptyDirectory(), 'qkv.safetensors');
const series = (count: number, step: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => i * step);

const data: AttentionData = {
  config: {
    source: 'somewhere',
    model: 'llama',
    layers: 6,
    heads: 4,
    kvHeads: 2,
    headDim: 3,
    valueDim: 2,
    scale: 0.25,
    tokens: 5,
  },
  layers: [1, 4].map((layer) => ({
    layer,
    query: series(4 * 5 * 3, layer),
    key: series(2 * 5 * 3, layer),
    value: series(2 * 5 * 2, layer),
  })),
  warnings: [],
};

describe('writing and reading', () => {
  it('gives the same data', () => {
    const file = path();
    writeQkv(file, data);
    expect(readQkv(file)).toEqual({ ...data, config: { ...data.config, source: file } });
  });

  it('gives chosen layers alone', () => {
    const file = path();
    writeQkv(file, data);
    expect(readQkv(file, [4]).layers).toEqual([data.layers[1]]);
  });
});

describe('files written elsewhere', () => {
  it('in f16 and bf16, without metadata', () => {
    const file = path();
    writeFile(file, {
      'layer.0.q': { dtype: 'F16', shape: [2, 1, 1], bytes: [0x3c00, 0xc000] }, // 1, -2
      'layer.0.k': { dtype: 'BF16', shape: [1, 1, 1], bytes: [0x3f80] }, // 1
      'layer.0.v': { dtype: 'BF16', shape: [1, 1, 1], bytes: [0xc040] }, // -3
    });
    const { config, layers } = readQkv(file);
    expect(config).toMatchObject({ model: 'qkv.safetensors', layers: 1, heads: 2, scale: 1 });
    expect(layers).toEqual([
      {
        layer: 0,
        query: Float32Array.of(1, -2),
        key: Float32Array.of(1),
        value: Float32Array.of(-3),
      },
    ]);
  });

  it('are refused where something is wrong', () => {
    const good: Contents = {
      'layer.0.q': { dtype: 'F16', shape: [2, 1, 1], bytes: [0, 0] },
      'layer.0.k': { dtype: 'F16', shape: [1, 1, 1], bytes: [0] },
      'layer.0.v': { dtype: 'F16', shape: [1, 1, 1], bytes: [0] },
    };
    const withoutValue = { 'layer.0.q': good['layer.0.q'], 'layer.0.k': good['layer.0.k'] };
    const changed = (name: string, tensor: Partial<Contents[string]>) => ({
      ...good,
      [name]: { ...good[name], ...tensor },
    });
    const refusals = [
      {},
      { q: good['layer.0.q'] },
      withoutValue,
      changed('layer.0.k', { dtype: 'I64' }),
      changed('layer.0.q', { shape: [1, 2, 1, 1] }),
      changed('layer.0.q', { bytes: [0] }),
      changed('layer.0.k', { shape: [1, 1, 2], bytes: [0, 0] }),
      { ...good, 'layer.0.v': { dtype: 'F16', shape: [3, 1, 1], bytes: [0, 0, 0] } },
      { ...good, ...renamed(changed('layer.0.q', { shape: [1, 1, 1], bytes: [0] }), 1) },
    ].map((contents) => refusal((file) => writeFile(file, contents)));
    expect(refusals.join('\n')).toMatchInlineSnapshot(`
      "MISSING_INPUT FILE has no tensor layer.<i>.q (it has nothing)
      MISSING_INPUT FILE has no tensor layer.<i>.q (it has q)
      MISSING_INPUT FILE has no tensor layer.0.v
      INVALID_DTYPE layer.0.k of FILE: expected dtype F32, F16 or BF16, got I64
      INVALID_SHAPE layer.0.q of FILE: expected [heads, tokens, headDim], none of them 0, got [1, 2, 1, 1]
      INVALID_SHAPE layer.0.q of FILE: expected 4 bytes, got 2
      INVALID_SHAPE layer.0.k of FILE: expected [1, 1, 1], as the first layer's q and v say, got [1, 1, 2]
      INVALID_SHAPE layer.0.k of FILE: expected a number of heads that divides 2, got [1, 1, 1]
      INVALID_SHAPE layer.1.q of FILE: expected [2, 1, 1], as the first layer's q and v say, got [1, 1, 1]"
    `);
  });

  it('are refused where they are no safetensors', () => {
    const refusals = [
      refusal(() => {}),
      refusal((file) => writeFileSync(file, 'short')),
      refusal((file) => writeFileSync(file, Buffer.alloc(100, 'x'))),
      refusal((file) => writeFileSync(file, Buffer.concat([Buffer.from([9]), Buffer.alloc(20)]))),
      refusal((file) =>
        writeFile(file, { 'layer.0.q': { dtype: 'F16', shape: [9], bytes: [1] } }, 16),
      ),
    ];
    expect(refusals.join('\n')).toMatchInlineSnapshot(`
      "MISSING_INPUT FILE does not exist
      MISSING_INPUT FILE is not a safetensors file, or is cut short
      MISSING_INPUT FILE is not a safetensors file, or is cut short
      MISSING_INPUT FILE is not a safetensors file, or is cut short
      MISSING_INPUT FILE is not a safetensors file, or is cut short"
    `);
  });
});

it('cuts data to the first tokens', () => {
  const { config, layers } = firstTokens(data, 2);
  expect(config.tokens).toBe(2);
  expect(Array.from(layers[0].value)).toEqual([0, 1, 2, 3, 10, 11, 12, 13]);
  expect(Array.from(layers[0].key)).toEqual([0, 1, 2, 3, 4, 5, 15, 16, 17, 18, 19, 20]);
  expect(firstTokens(data, 5)).toBe(data);
  expect(() => firstTokens(data, 6)).toThrow(RangeError);
});

type Contents = Record<string, { dtype: string; shape: number[]; bytes: number[] }>;

/** Writes 16-bit elements by hand; `missing` bytes are cut off the end. */
function writeFile(file: string, contents: Contents, missing = 0): void {
  let offset = 0;
  const header = Object.entries(contents).map(([name, { dtype, shape, bytes }]) => {
    const begin = offset;
    offset += 2 * bytes.length + (missing > 0 ? missing : 0);
    return [name, { dtype, shape, data_offsets: [begin, offset] }] as const;
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const elements = Uint16Array.from(Object.values(contents).flatMap(({ bytes }) => bytes));
  writeFileSync(file, Buffer.concat([length, json, Buffer.from(elements.buffer)]));
}

function renamed(contents: Contents, layer: number): Contents {
  return Object.fromEntries(
    Object.entries(contents).map(([name, tensor]) => [name.replace('0', String(layer)), tensor]),
  );
}

/** Code and first line of the error that reading a file gives. */
function refusal(write: (file: string) => void): string {
  const file = path();
  write(file);
  try {
    readQkv(file);
  } catch (error) {
    const { code, message } = error as InputError;
    return `${code} ${message.split('\n')[0].replaceAll(file, 'FILE')}`;
  }
  throw new Error('nothing was refused');
}
