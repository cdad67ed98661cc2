import type { DType, Tensor } from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import { rowsOf, rowWords, type Storage } from '../storage.js';

/** Rows of one width, however they are stored. */
export interface Rows {
  readonly at: Storage;
  readonly dtype: DType;
  readonly rows: number;
  readonly width: number;
}

/** Some of the rows, as a kernel gets to see them: `at` begins `skip` words before the row `first`. */
export interface Run {
  readonly first: number;
  readonly rows: number;
  readonly at: Storage;
  readonly skip: number;
}

export function rowsIn(gpu: Gpu, tensor: Tensor): Rows {
  const { dtype, shape } = tensor;
  return { at: gpu.storageOf(tensor), dtype, rows: rowsOf(shape), width: shape.at(-1) ?? 1 };
}

/** A buffer may be larger than what a kernel can bind of it: its rows in runs that can be bound, nearly always one. */
export function runsOf(gpu: Gpu, rows: Rows): Run[] {
  return cuts(gpu, rows.rows, rowBytes(rows)).map((cut) => runOf(gpu, rows, cut));
}

/** The same for rows that several storages have in common: the runs of all of them, side by side. */
export function commonRuns(gpu: Gpu, ...all: readonly Rows[]): Run[][] {
  const bytes = Math.max(...all.map(rowBytes));
  return cuts(gpu, all[0].rows, bytes).map((cut) => all.map((rows) => runOf(gpu, rows, cut)));
}

export type Cut = readonly [first: number, end: number];

/** Cuts rows of so many bytes into runs that can be bound, wherever they begin. */
export function cuts({ limits }: Gpu, rows: number, bytes: number): Cut[] {
  const { maxStorageBufferBindingSize: most, minStorageBufferOffsetAlignment: alignment } = limits;
  const share = rows * bytes <= most ? rows : Math.max(1, Math.floor((most - alignment) / bytes));
  const count = rows === 0 ? 0 : Math.ceil(rows / share);
  return Array.from({ length: count }, (_, i) => [i * share, Math.min(rows, (i + 1) * share)]);
}

/** Bindings begin at multiples of the device's alignment. */
export function runOf({ limits }: Gpu, rows: Rows, [first, end]: Cut): Run {
  const bytes = rowBytes(rows);
  const { buffer, offset } = rows.at;
  const skipped = (first * bytes) % limits.minStorageBufferOffsetAlignment;
  const at = {
    buffer,
    offset: offset + first * bytes - skipped,
    bytes: skipped + (end - first) * bytes,
  };
  return { first, rows: end - first, at, skip: skipped / 4 };
}

export const rowBytes = ({ dtype, width }: Pick<Rows, 'dtype' | 'width'>): number =>
  4 * rowWords(dtype, width);

/** Bytes of a storage, to be copied. */
export const stretch = ({ buffer, offset }: Storage, start: number, bytes: number): Storage => ({
  buffer,
  offset: offset + start,
  bytes,
});
