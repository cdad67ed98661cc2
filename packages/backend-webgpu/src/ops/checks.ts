import { inputError, type Tensor } from '@jit-attention/core';

/** @throws {InputError} `INVALID_DTYPE` unless both tensors are stored alike */
export function assertDType(where: string, tensor: Tensor, like: Tensor): void {
  if (tensor.dtype === like.dtype) return;
  throw inputError(where, `dtype ${like.dtype}`, tensor.dtype, { code: 'INVALID_DTYPE' });
}
