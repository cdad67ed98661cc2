import type { Format } from './format.js';
import { half } from './half.js';

const scratch = new DataView(new ArrayBuffer(4));

/** The f32 with these four bytes, the lowest first. */
function float(b0: number, b1: number, b2: number, b3: number): number {
  scratch.setUint32(0, b0 | (b1 << 8) | (b2 << 16) | (b3 << 24));
  return scratch.getFloat32(0);
}

export const F32: Format = {
  values: 1,
  bytes: 4,
  decode(bytes, at, out, to) {
    out[to] = float(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
  },
};

export const F16: Format = {
  values: 1,
  bytes: 2,
  decode(bytes, at, out, to) {
    out[to] = half(bytes, at);
  },
};

/** The upper half of an f32. */
export const BF16: Format = {
  values: 1,
  bytes: 2,
  decode(bytes, at, out, to) {
    out[to] = float(0, 0, bytes[at], bytes[at + 1]);
  },
};
