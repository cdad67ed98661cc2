import type { Format } from './format.js';
import { half } from './half.js';

/** The "k-quants": 256 values whose scales, one for 16 or 32 of them, are quantised themselves. */
const VALUES = 256;

/**
 * Eight groups of 32: `scale * scaleOf(group) * q - least * leastOf(group)`. Scale and least (f16), 12
 * bytes of group scales, 128 bytes: 32 bytes hold two groups, the first in their low halves.
 */
export const Q4_K: Format = {
  values: VALUES,
  bytes: 144,
  decode(bytes, at, out, to) {
    for (let group = 0; group < 8; group++) {
      const { scale, least } = groupScale(bytes, at, group);
      const from = at + 16 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        const q = (bytes[from + i] >> shift) & 15;
        out[to + 32 * group + i] = scale * q - least;
      }
    }
  },
};

/** As {@link Q4_K}, with 32 bytes of fifth bits before the others: bit `group` of byte `i`. */
export const Q5_K: Format = {
  values: VALUES,
  bytes: 176,
  decode(bytes, at, out, to) {
    for (let group = 0; group < 8; group++) {
      const { scale, least } = groupScale(bytes, at, group);
      const from = at + 48 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        const fifth = ((bytes[at + 16 + i] >> group) & 1) << 4;
        const q = ((bytes[from + i] >> shift) & 15) | fifth;
        out[to + 32 * group + i] = scale * q - least;
      }
    }
  },
};

/**
 * Sixteen groups of 16: `scale * scaleOf(group) * (q - 32)`. 128 bytes of low four bits, 64 of high two,
 * 16 signed group scales, scale (f16). Each half of the block has four runs of 32 values, which share
 * their bytes: two runs the low bits of 32 bytes, all four the high bits of 32.
 */
export const Q6_K: Format = {
  values: VALUES,
  bytes: 210,
  decode(bytes, at, out, to) {
    const scale = half(bytes, at + 208);
    for (let run = 0; run < 8; run++) {
      const inHalf = run & 3;
      const low = at + 64 * (run >> 2) + 32 * (inHalf & 1);
      const high = at + 128 + 32 * (run >> 2);
      for (let i = 0; i < 32; i++) {
        const four = (bytes[low + i] >> (4 * (inHalf >> 1))) & 15;
        const two = (bytes[high + i] >> (2 * inHalf)) & 3;
        const group = bytes[at + 192 + 2 * run + (i >> 4)];
        out[to + 32 * run + i] = scale * ((group << 24) >> 24) * ((four | (two << 4)) - 32);
      }
    }
  },
};

/**
 * Scale and least of a group of 32. The 12 bytes hold eight scales and eight leasts of six bits: groups 0
 * to 3 in the low six of bytes 0 to 3 and 4 to 7; the others' low four in bytes 8 to 11, their high two
 * on top of the former.
 */
function groupScale(
  bytes: Uint8Array,
  at: number,
  group: number,
): { scale: number; least: number } {
  const packed = at + 4;
  const i = group & 3;
  let scale = bytes[packed + i] & 63;
  let least = bytes[packed + 4 + i] & 63;
  if (group >= 4) {
    const low = bytes[packed + 8 + i];
    scale = (low & 15) | ((bytes[packed + i] >> 6) << 4);
    least = (low >> 4) | ((bytes[packed + 4 + i] >> 6) << 4);
  }
  return { scale: half(bytes, at) * scale, least: half(bytes, at + 2) * least };
}
