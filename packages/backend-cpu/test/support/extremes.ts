import type { Tensor } from '@jit-attention/core';

import type { Table } from './agree.js';
import { sizeOf, uniform } from './numbers.js';

const EXTREMES = [Infinity, -Infinity, NaN];

/** Small whole numbers, and a share of what is none; `name` tells tensors of one seed apart. */
export function extremes(
  table: Table,
  { seed, share }: { readonly seed: number; readonly share: number },
  shape: readonly number[],
  name: number,
): Tensor {
  const next = uniform(seed + name);
  const numbers = Float32Array.from({ length: sizeOf(shape) }, () =>
    next() < share ? EXTREMES[Math.floor(3 * next())] : Math.floor(5 * next()) - 2,
  );
  return table.floats(numbers, shape);
}
