import { type DType, DTYPES, inputError, sizeOf } from '@jit-attention/core';

export function assertSpec(where: string, shape: readonly number[], dtype: DType): void {
  if (!DTYPES.includes(dtype)) {
    const expected = `a dtype of ${DTYPES.join(', ')}`;
    throw inputError(where, expected, dtype, { code: 'INVALID_DTYPE' });
  }
  if (shape.length === 0 || !shape.every((length) => Number.isInteger(length) && length >= 0)) {
    const code = 'INVALID_SHAPE';
    throw inputError(where, 'a shape of whole numbers', [...shape], { code });
  }
}

export function assertData(
  data: Float32Array | Int32Array,
  shape: readonly number[],
  dtype: DType,
): void {
  if (data.length !== sizeOf(shape)) {
    const expected = `${sizeOf(shape)} numbers for shape [${shape.join(', ')}]`;
    throw inputError('tensor', expected, data.length, { code: 'INVALID_SHAPE' });
  }
  if (data instanceof Int32Array !== (dtype === 'i32')) {
    const expected = dtype === 'i32' ? 'an Int32Array' : 'a Float32Array';
    throw inputError('tensor', expected, data, { code: 'INVALID_DTYPE' });
  }
}
