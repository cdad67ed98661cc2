import type { Tensor } from '@jit-attention/core';

import type { Gpu } from './gpu.js';
import { cut } from './ops/arrange.js';

/**
 * A call of more queries than a kernel can bind is made as two of fewer: of its queries `[start, end)` and of the rest,
 * until they fit.
 */
export type Half = readonly [start: number, end: number];

/** @param together queries that have a list in common, and stay so; none where there are no others */
export function halves(tokens: number, together: number): Half[] {
  const blocks = Math.ceil(tokens / together);
  if (blocks < 2) return [];
  const middle = together * Math.ceil(blocks / 2);
  return [
    [0, middle],
    [middle, tokens],
  ];
}

/** Indices `[start, end)` of the third axis: integers stay integers, all else becomes f32. */
export function halfOf(gpu: Gpu, tensor: Tensor, [start, end]: Half): Tensor {
  return cut(gpu, tensor, { axis: 2, start, end }, tensor.dtype === 'i32' ? 'i32' : 'f32');
}

/** Lists of a half: those of its query blocks. */
export function listOf<L extends { ids: Tensor; counts: Tensor; queryBlock: number }>(
  gpu: Gpu,
  list: L,
  [start, end]: Half,
): L {
  const blocks: Half = [start / list.queryBlock, Math.ceil(end / list.queryBlock)];
  return { ...list, ids: halfOf(gpu, list.ids, blocks), counts: halfOf(gpu, list.counts, blocks) };
}

/** Whether a kernel can bind each of as many bytes. */
export function fits({ limits }: Gpu, ...bytes: readonly number[]): boolean {
  return bytes.every((each) => each <= limits.maxStorageBufferBindingSize);
}

export function lcm(a: number, b: number): number {
  return (a / gcd(a, b)) * b;
}

export function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
