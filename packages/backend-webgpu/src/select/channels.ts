import type { DType } from '@jit-attention/core';

import { type BufferUse, read } from '../device/kernel.js';
import { rowReader } from '../wgsl/rows.js';

/** A buffer of rows, and WGSL that reads it. */
export interface Channels {
  readonly use: BufferUse;
  /** `NAME_channels(row, d)`: elements d to d + 3 of the row that begins at word `row`, zeros past its width. */
  readonly source: string;
}

export function channels(name: string, dtype: DType, width: number): Channels {
  const whole = width % 4 === 0;
  if (whole && dtype === 'f32') {
    const source = `
fn ${name}_channels(row: u32, d: u32) -> vec4f { return ${name}[(row + d) / 4]; }`;
    return { use: read('vec4f'), source };
  }
  // What is past the width may be anything, NaN too, and 0 times NaN is no zero.
  const within = `vec4u(d) + vec4u(0, 1, 2, 3) < vec4u(${width})`;
  const value = whole ? `${name}_4(row, d)` : `select(vec4f(), ${name}_4(row, d), ${within})`;
  const source = `${rowReader(name, dtype)}
fn ${name}_channels(row: u32, d: u32) -> vec4f { return ${value}; }`;
  return { use: read('u32'), source };
}
