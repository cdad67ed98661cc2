import type { Format } from './format.js';
import { half } from './half.js';

/**
 * The formats that share a scale, an f16, among 32 values. Those of four and five bits keep value `i` in
 * the low half of byte `i` and value `i + 16` in its high half.
 */
const VALUES = 32;

/** `scale * (q - 8)`: scale, then 16 bytes. */
export const Q4_0: Format = {
  values: VALUES,
  bytes: 18,
  decode(bytes, at, out, to) {
    const scale = half(bytes, at);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 2 + i];
      out[to + i] = scale * ((pair & 15) - 8);
      out[to + i + 16] = scale * ((pair >> 4) - 8);
    }
  },
};

/** `scale * q + least`: scale, least, both f16, then 16 bytes. */
export const Q4_1: Format = {
  values: VALUES,
  bytes: 20,
  decode(bytes, at, out, to) {
    const scale = half(bytes, at);
    const least = half(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 4 + i];
      out[to + i] = scale * (pair & 15) + least;
      out[to + i + 16] = scale * (pair >> 4) + least;
    }
  },
};

/** `scale * (q - 16)`: scale, the fifth bits of all 32, then 16 bytes. */
export const Q5_0: Format = {
  values: VALUES,
  bytes: 22,
  decode(bytes, at, out, to) {
    const scale = half(bytes, at);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 6 + i];
      out[to + i] = scale * (((pair & 15) | fifth(bytes, at + 2, i)) - 16);
      out[to + i + 16] = scale * (((pair >> 4) | fifth(bytes, at + 2, i + 16)) - 16);
    }
  },
};

/** `scale * q + least`: scale, least, the fifth bits of all 32, then 16 bytes. */
export const Q5_1: Format = {
  values: VALUES,
  bytes: 24,
  decode(bytes, at, out, to) {
    const scale = half(bytes, at);
    const least = half(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 8 + i];
      out[to + i] = scale * ((pair & 15) | fifth(bytes, at + 4, i)) + least;
      out[to + i + 16] = scale * ((pair >> 4) | fifth(bytes, at + 4, i + 16)) + least;
    }
  },
};

/** `scale * q`: scale, then 32 signed bytes. */
export const Q8_0: Format = {
  values: VALUES,
  bytes: 34,
  decode(bytes, at, out, to) {
    const scale = half(bytes, at);
    for (let i = 0; i < VALUES; i++) out[to + i] = scale * signed(bytes[at + 2 + i]);
  },
};

/** Bit `i` of the four bytes at `at`, as a fifth bit: 16 or 0. */
function fifth(bytes: Uint8Array, at: number, i: number): number {
  return ((bytes[at + (i >> 3)] >> (i & 7)) & 1) << 4;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}
