import { type DType, sizeOf } from '@jit-attention/core';

/** What a tensor's `storage` is here: a stretch of a buffer of the device. */
export interface Storage {
  readonly buffer: GPUBuffer;
  /** In bytes, a multiple of `minStorageBufferOffsetAlignment`. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Words of 32 bits that a row of `width` elements takes. f16: pairs, the first in the low half, rows rounded up to
 * whole words. i8: the row's scale, an f32, then four codes a word, the first in the low byte.
 */
export function rowWords(dtype: DType, width: number): number {
  switch (dtype) {
    case 'f16':
      return Math.ceil(width / 2);
    case 'i8':
      return 1 + Math.ceil(width / 4);
    default:
      return width;
  }
}

/** Rows of a shape: all axes but the last. */
export function rowsOf(shape: readonly number[]): number {
  const width = shape.at(-1) ?? 1;
  return width === 0 ? 0 : sizeOf(shape) / width;
}

export function storageBytes(shape: readonly number[], dtype: DType): number {
  return 4 * rowsOf(shape) * rowWords(dtype, shape.at(-1) ?? 1);
}
