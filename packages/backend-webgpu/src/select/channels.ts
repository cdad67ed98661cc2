import type { DType } from '@jit-attention/core';

import { type BufferUse, read } from '../device/kernel.js';
import { foursReader } from '../wgsl/fours.js';

/** A buffer of rows of `WIDTH`, and WGSL that reads it. */
export interface Channels {
  readonly use: BufferUse;
  /** `NAME_channels(row, d)`: elements d to d + 3 of the row that begins at word `row`, zeros past its end. */
  readonly source: string;
}

/** @param whole whether rows are whole vectors of four */
export function channels(name: string, dtype: DType, whole: boolean): Channels {
  const { type, text } = foursReader(name, dtype, whole);
  const source = `${text}
fn ${name}_channels(row: u32, d: u32) -> vec4f { return ${name}_four(row, d, width()); }
`;
  return { use: read(type), source };
}
