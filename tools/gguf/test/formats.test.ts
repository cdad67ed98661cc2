import { describe, expect, it } from 'vitest';

import { decodeBlocks, FORMATS, toHalves } from '../src/formats/index.js';
import fixtures from './fixtures/formats.json' with { type: 'json' };

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

describe('blocks of random bits, against the values that the Python package gguf gives', () => {
  it.each(Object.entries(fixtures))('%s, to the last bit', (name, { bytes, values }) => {
    const expected = new Float32Array(bytesOf(values).buffer);
    expect(expected).toHaveLength(512);
    expect(decodeBlocks(FORMATS[name], bytesOf(bytes))).toEqual(expected);
  });

  it('of every format but F32, which that package has no need to decode', () => {
    expect(['F32', ...Object.keys(fixtures)]).toEqual(Object.keys(FORMATS));
  });
});

describe('by hand', () => {
  const ONE = [0x00, 0x3c];
  const HALF = [0x00, 0x38];

  it('F32 is little-endian', () => {
    const bytes = new Uint8Array(Float32Array.of(1, -0.1, 1e-40).buffer);
    expect(decodeBlocks(FORMATS.F32, bytes)).toEqual(Float32Array.of(1, -0.1, 1e-40));
  });

  it('Q4_0: value 0 is in the low half of the first byte, 16 in its high half', () => {
    const out = decodeBlocks(FORMATS.Q4_0, Uint8Array.of(...HALF, 0xf1, ...new Uint8Array(15)));
    expect([out[0], out[16], out[1]]).toEqual([-3.5, 3.5, -4]);
  });

  it('Q4_1: the least value is added', () => {
    const block = Uint8Array.of(...HALF, ...ONE, ...new Uint8Array(15), 0x2f);
    const out = decodeBlocks(FORMATS.Q4_1, block);
    expect([out[0], out[15], out[31]]).toEqual([1, 8.5, 2]);
  });

  it('Q8_0: bytes are signed', () => {
    const out = decodeBlocks(
      FORMATS.Q8_0,
      Uint8Array.of(...ONE, 0x80, 0x7f, ...new Uint8Array(30)),
    );
    expect([out[0], out[1], out[2]]).toEqual([-128, 127, 0]);
  });
});

it('writes f16 rounded to nearest', () => {
  expect(toHalves(Float32Array.of(1, -2, 1 + 2 ** -12, 65504, 2 ** -24))).toEqual(
    Uint16Array.of(0x3c00, 0xc000, 0x3c00, 0x7bff, 1),
  );
});
