import {
  assertAxis,
  assertRange,
  type Decoded,
  type DType,
  inputError,
  rowBytes,
  sizeOf,
  type Tensor,
} from '@jit-attention/core';

import { DTYPE_CODES } from '../descriptors.js';
import type { Host } from '../host.js';
import { asFloats, type Rows, rowsOf } from './convert.js';
import { shares } from './shares.js';

/** Rows of a tensor in another order: row `(i, j, k)` is at byte `starts[i] + j * steps[0] + k * steps[1]`. */
interface Moved {
  readonly starts: readonly number[];
  readonly counts: readonly [j: number, k: number];
  readonly steps: readonly [j: number, k: number];
  /** Channels of each row. */
  readonly first: number;
  readonly width: number;
}

/** Gathers rows into a tensor as f32, or integers as they are. */
function moveRows(
  host: Host,
  { ptr, dtype }: Pick<Rows, 'ptr' | 'dtype'>,
  output: Tensor,
  { starts, counts, steps, first, width }: Moved,
): void {
  const rows = starts.length * counts[0] * counts[1];
  const [share, tasks] = shares(host, rows, 8 * width);
  // Integers that stay integers are copied as f32 are.
  const code = DTYPE_CODES[output.dtype === 'i32' ? 'f32' : dtype];
  const desc = host.arena.i32([
    ...[0, tasks, share, rows, width, code, first, ptr, host.arena.i32(starts)],
    ...[counts[0], steps[0], counts[1], steps[1], host.pointerOf(output)],
  ]);
  host.run('moveRows', desc);
}

export function slice(
  host: Host,
  tensor: Tensor,
  { axis, start, end }: { axis: number; start: number; end: number },
): Tensor<'f32'> {
  assertAxis('slice', tensor, axis);
  assertRange('slice', [start, end], tensor.shape[axis]);
  const { shape } = tensor;
  const cut = shape.map((length, i) => (i === axis ? end - start : length));
  const source = rowsOf(host, tensor);
  const output = host.make(cut, 'f32');
  const { rows, width } = source;
  const bytes = rowBytes(tensor.dtype, width);
  if (axis === shape.length - 1) {
    const steps = [0, bytes] as const;
    const channels = { first: start, width: end - start };
    moveRows(host, source, output, { starts: [0], counts: [1, rows], steps, ...channels });
    return output;
  }
  const inner = sizeOf(shape.slice(axis + 1, -1));
  const starts = Array.from(
    { length: sizeOf(shape.slice(0, axis)) },
    (_, outer) => (outer * shape[axis] + start) * inner * bytes,
  );
  const counts = [1, (end - start) * inner] as const;
  moveRows(host, source, output, { starts, counts, steps: [0, bytes], first: 0, width });
  return output;
}

/** Picks of `[B, X, T, ...]`: `[picks, X, 1, ...]`. Integers stay integers. */
export function gather<D extends DType>(
  host: Host,
  tensor: Tensor<D>,
  picks: readonly (readonly [row: number, token: number])[],
): Tensor<Decoded<D>> {
  assertAxis('gather', tensor, 2);
  const [batch, heads, tokens, ...rest] = tensor.shape as [number, number, number, ...number[]];
  for (const [row, token] of picks) {
    assertRange('gather: row', [row, row + 1], batch);
    assertRange('gather: token', [token, token + 1], tokens);
  }
  // A tensor [B, X, T] has elements where others have rows: as rows of one element.
  const width = rest.at(-1) ?? 1;
  const dtype = rest.length === 0 && tensor.dtype !== 'i32' ? 'f32' : tensor.dtype;
  const ptr = dtype === tensor.dtype ? host.pointerOf(tensor) : asFloats(host, tensor);
  const bytes = rowBytes(dtype, width);
  const inner = sizeOf(rest.slice(0, -1));
  const output = host.make(
    [picks.length, heads, 1, ...rest],
    (dtype === 'i32' ? 'i32' : 'f32') as Decoded<D>,
  );
  moveRows(host, { ptr, dtype }, output, {
    starts: picks.map(([row, token]) => (row * heads * tokens + token) * inner * bytes),
    counts: [heads, inner],
    steps: [tokens * inner * bytes, bytes],
    first: 0,
    width,
  });
  return output;
}

export function permute(host: Host, tensor: Tensor, order: readonly number[]): Tensor<'f32'> {
  const rank = tensor.shape.length;
  if (order.length !== rank || ![...order].sort().every((axis, i) => axis === i)) {
    throw inputError('permute', `an order of ${rank} axes`, [...order]);
  }
  return order.at(-1) === rank - 1 && rank <= 4
    ? permuteRows(host, tensor, order)
    : permuteElements(host, tensor, order);
}

/** Where the last axis stays, rows are moved whole. */
function permuteRows(host: Host, tensor: Tensor, order: readonly number[]): Tensor<'f32'> {
  const shape = order.map((axis) => tensor.shape[axis]);
  const source = rowsOf(host, tensor);
  const output = host.make(shape, 'f32');
  const { width } = source;
  const bytes = rowBytes(tensor.dtype, width);
  const strides = tensor.shape.map((_, axis) => bytes * sizeOf(tensor.shape.slice(axis + 1, -1)));
  const leading = order.slice(0, -1);
  const lengths = [1, 1, 1, ...leading.map((axis) => tensor.shape[axis])].slice(-3);
  const steps = [0, 0, 0, ...leading.map((axis) => strides[axis])].slice(-3);
  moveRows(host, source, output, {
    starts: Array.from({ length: lengths[0] }, (_, i) => i * steps[0]),
    counts: [lengths[1], lengths[2]],
    steps: [steps[1], steps[2]],
    first: 0,
    width,
  });
  return output;
}

function permuteElements(host: Host, tensor: Tensor, order: readonly number[]): Tensor<'f32'> {
  const shape = order.map((axis) => tensor.shape[axis]);
  const strides = order.map((axis) => 4 * sizeOf(tensor.shape.slice(axis + 1)));
  const source = asFloats(host, tensor);
  const output = host.make(shape, 'f32');
  const length = shape.at(-1)!;
  const runs = length === 0 ? 0 : tensor.size / length;
  const [share, tasks] = shares(host, runs, 8 * length);
  const lists = [host.arena.i32(shape), host.arena.i32(strides)];
  const desc = host.arena.i32([
    ...[0, tasks, share, runs, shape.length, ...lists, source, host.pointerOf(output)],
  ]);
  host.run('permuteElements', desc);
  return output;
}
