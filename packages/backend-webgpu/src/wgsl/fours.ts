import type { DType } from '@jit-attention/core';

import { rowReader } from './rows.js';

/** The type of a buffer's elements, and WGSL that reads it. */
export interface Reader {
  readonly type: string;
  readonly text: string;
}

/**
 * A function `NAME_four(row, d, width)` that reads elements d to d + 3, d a multiple of 4, of a row of `width` that
 * begins at word `row`; what is past its end is 0. Rows of `whole` vectors, whose width is a multiple of 4, are read in
 * one load.
 */
export function foursReader(name: string, dtype: DType, whole: boolean): Reader {
  const wide = whole ? WIDE[dtype] : undefined;
  const text = wide?.text ?? rowReader(name, dtype) + (whole ? WHOLE : ENDS);
  return { type: wide?.type ?? 'u32', text: text.replaceAll('NAME', name) };
}

const WIDE: Partial<Record<DType, Reader>> = {
  f32: {
    type: 'vec4f',
    text: /* wgsl */ `
fn NAME_four(row: u32, d: u32, width: u32) -> vec4f { return NAME[(row + d) / 4]; }
`,
  },
  f16: {
    type: 'vec2u',
    text: /* wgsl */ `
fn NAME_four(row: u32, d: u32, width: u32) -> vec4f {
  let pairs = NAME[(row + d / 2) / 2];
  return vec4f(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}
`,
  },
};

const WHOLE = /* wgsl */ `
fn NAME_four(row: u32, d: u32, width: u32) -> vec4f { return NAME_4(row, d); }
`;

const ENDS = /* wgsl */ `
fn NAME_four(row: u32, d: u32, width: u32) -> vec4f {
  return select(vec4f(), NAME_4(row, d), vec4u(d, d + 1, d + 2, d + 3) < vec4u(width));
}
`;
