import { type DType, rowBytes, type Tensor } from '@jit-attention/core';

import { DTYPE_CODES } from '../descriptors.js';
import type { Host } from '../host.js';
import { shares } from './shares.js';

/** Rows (the last axis) of a tensor, or of memory that looks like one. */
export interface Rows {
  readonly ptr: number;
  readonly dtype: DType;
  readonly rows: number;
  readonly width: number;
}

export function rowsOf(host: Host, tensor: Tensor): Rows {
  const width = tensor.shape.at(-1) ?? 1;
  return {
    ptr: host.pointerOf(tensor),
    dtype: tensor.dtype,
    rows: width === 0 ? 0 : tensor.size / width,
    width,
  };
}

/** The words of a descriptor that say how rows lie: `[ptr, dtype, rowBytes]`. */
export const place = ({ ptr, dtype, width }: Rows): [number, number, number] => [
  ptr,
  DTYPE_CODES[dtype],
  rowBytes(dtype, width),
];

/** Copies rows, converting where the types differ. */
export function convert(host: Host, source: Rows, target: Rows): void {
  const { rows, width } = source;
  const [share, tasks] = shares(host, rows, 8 * width);
  const desc = host.arena.i32([
    ...[0, tasks, share, rows, width],
    ...place(source),
    ...place(target),
  ]);
  host.run('convertRows', desc, 4 * width);
}

/** A tensor's numbers as f32 in memory, for the length of the call: its own where it is f32. */
export function asFloats(host: Host, tensor: Tensor): number {
  const source = rowsOf(host, tensor);
  if (tensor.dtype === 'f32') return source.ptr;
  const ptr = host.arena.bytes(4 * tensor.size);
  convert(host, source, { ...source, ptr, dtype: 'f32' });
  return ptr;
}
