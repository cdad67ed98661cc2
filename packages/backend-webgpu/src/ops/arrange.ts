import {
  assertAxis,
  assertRange,
  type Decoded,
  type DType,
  inputError,
  sizeOf,
  type Tensor,
} from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import { move } from './move.js';

/** Numbers in other places. */

export function slice(
  gpu: Gpu,
  tensor: Tensor,
  { axis, start, end }: { axis: number; start: number; end: number },
): Tensor<'f32'> {
  assertAxis('slice', tensor, axis);
  assertRange('slice', [start, end], tensor.shape[axis]);
  return cut(gpu, tensor, { axis, start, end }, 'f32');
}

/** What {@link slice} gives, unchecked, and of integers integers if these are asked for. */
export function cut<D extends 'f32' | 'i32'>(
  gpu: Gpu,
  tensor: Tensor,
  { axis, start, end }: { axis: number; start: number; end: number },
  dtype: D,
): Tensor<D> {
  const strides = stridesOf(tensor.shape);
  const shape = tensor.shape.map((length, i) => (i === axis ? end - start : length));
  const result = gpu.make(shape, dtype);
  move(gpu, tensor, result, { shape, strides, base: start * strides[axis] });
  return result;
}

export function permute(gpu: Gpu, tensor: Tensor, order: readonly number[]): Tensor<'f32'> {
  const rank = tensor.shape.length;
  if (order.length !== rank || ![...order].sort().every((axis, i) => axis === i))
    throw inputError('permute', `an order of ${rank} axes`, [...order]);
  const strides = stridesOf(tensor.shape);
  const shape = order.map((axis) => tensor.shape[axis]);
  const result = gpu.make(shape, 'f32');
  move(gpu, tensor, result, { shape, strides: order.map((axis) => strides[axis]) });
  return result;
}

/** Picks of `[B, X, T, ...]`: `[picks, X, 1, ...]`. Integers stay integers. */
export function gather<D extends DType>(
  gpu: Gpu,
  tensor: Tensor<D>,
  picks: readonly (readonly [row: number, token: number])[],
): Tensor<Decoded<D>> {
  assertAxis('gather', tensor, 2);
  const [batch, heads, tokens, ...rest] = tensor.shape as [number, number, number, ...number[]];
  for (const [row, token] of picks) {
    assertRange('gather: row', [row, row + 1], batch);
    assertRange('gather: token', [token, token + 1], tokens);
  }
  const strides = stridesOf(tensor.shape);
  const shape = [picks.length, heads, 1, ...rest];
  const dtype = (tensor.dtype === 'i32' ? 'i32' : 'f32') as Decoded<D>;
  const result = gpu.make(shape, dtype);
  const starts = picks.map(([row, token]) => row * strides[0] + token * strides[2]);
  move(gpu, tensor, result, { shape, strides, starts });
  return result;
}

const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
