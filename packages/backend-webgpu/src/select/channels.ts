import type { DType } from '@jit-attention/core';

import { type BufferUse, read } from '../device/kernel.js';
import { foursReader } from '../wgsl/fours.js';

/** A buffer of rows of one width, and WGSL that reads it. */
export interface Channels {
  readonly use: BufferUse;
  /** `NAME_channels(row, d)`: elements d to d + 3 of the row that begins at word `row`, zeros past its end. */
  readonly source: string;
}

export function channels(name: string, dtype: DType, width: number): Channels {
  const { type, text } = foursReader(name, dtype, width % 4 === 0);
  const source = `${text}
fn ${name}_channels(row: u32, d: u32) -> vec4f { return ${name}_four(row, d, ${width}u); }
`;
  return { use: read(type), source };
}
