import { inputError, type Tensor } from '@jit-attention/core';

/**
 * What a primitive is given by a strategy or a plugin may be wrong, and a kernel that is told so reads beyond its
 * tensors: shapes are checked before anything is made.
 */

/** @throws {InputError} `INVALID_SHAPE` */
export function assertShape(where: string, tensor: Tensor, shape: readonly number[]): void {
  const { length } = shape;
  if (tensor.shape.length === length && shape.every((size, axis) => size === tensor.shape[axis]))
    return;
  throw inputError(where, `shape [${shape.join(', ')}]`, [...tensor.shape], {
    code: 'INVALID_SHAPE',
  });
}

/** @throws {InputError} `INVALID_OPTION` unless `axis` is one of the tensor's */
export function assertAxis(where: string, tensor: Tensor, axis: number): void {
  if (Number.isInteger(axis) && axis >= 0 && axis < tensor.shape.length) return;
  throw inputError(where, `an axis of [${tensor.shape.join(', ')}]`, axis);
}

/** @throws {InputError} `INVALID_OPTION` unless `[start, end)` lies inside `[0, length)` */
export function assertRange(
  where: string,
  [start, end]: readonly [number, number],
  length: number,
): void {
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (whole && 0 <= start && start <= end && end <= length) return;
  throw inputError(where, `a range inside [0, ${length})`, `[${start}, ${end})`);
}

/** @throws {InputError} `INVALID_SHAPE` unless the tensor has `rank` axes */
export function assertRank(where: string, tensor: Tensor, rank: number): void {
  if (tensor.shape.length === rank) return;
  throw inputError(where, `${rank} axes`, [...tensor.shape], { code: 'INVALID_SHAPE' });
}
