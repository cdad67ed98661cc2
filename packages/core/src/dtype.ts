/**
 * Element types of a tensor.
 *
 * - `f32`: 32-bit float; arithmetic is f32 or better everywhere.
 * - `f16`: IEEE half, storage only.
 * - `i8`: rows (the last axis) of signed 8-bit codes, each row with a scale of its own that the backend keeps
 *   beside it; reading gives the decoded floats.
 * - `i32`: integers: ids and counts.
 */
export type DType = 'f32' | 'f16' | 'i8' | 'i32';

/** What `tensor.data()` gives for a dtype. */
export type DataOf<D extends DType> = D extends 'i32' ? Int32Array : Float32Array;

/** The dtype of a tensor's elements once read: all floats come as f32. */
export type Decoded<D extends DType> = D extends 'i32' ? 'i32' : 'f32';

export const DTYPES: readonly DType[] = ['f32', 'f16', 'i8', 'i32'];

/** Bytes of a row of `width` elements as it is stored, a row's scale included. */
export function rowBytes(dtype: DType, width: number): number {
  switch (dtype) {
    case 'f16':
      return 2 * width;
    case 'i8':
      return width + 4;
    default:
      return 4 * width;
  }
}
