import { inputError, rowBytes, sizeOf, type Tensor } from '@jit-attention/core';

import type { Host } from '../host.js';
import { assertAxis, assertRange } from './checks.js';
import { asFloats, place, rowsOf } from './convert.js';
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

/** Gathers rows as f32. */
function moveRows(
  host: Host,
  tensor: Tensor,
  shape: readonly number[],
  moved: Moved,
): Tensor<'f32'> {
  const { starts, counts, steps, first, width } = moved;
  const output = host.make(shape, 'f32');
  const rows = starts.length * counts[0] * counts[1];
  const [share, tasks] = shares(host, rows, 8 * width);
  const [ptr, dtype] = place(rowsOf(host, tensor));
  const desc = host.arena.i32([
    ...[0, tasks, share, rows, width, dtype, first, ptr, host.arena.i32(starts)],
    ...[counts[0], steps[0], counts[1], steps[1], host.pointerOf(output)],
  ]);
  host.run('moveRows', desc);
  return output;
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
  const { rows, width } = rowsOf(host, tensor);
  const bytes = rowBytes(tensor.dtype, width);
  if (axis === shape.length - 1) {
    const steps = [0, bytes] as const;
    const channels = { first: start, width: end - start };
    return moveRows(host, tensor, cut, { starts: [0], counts: [1, rows], steps, ...channels });
  }
  const inner = sizeOf(shape.slice(axis + 1, -1));
  const starts = Array.from(
    { length: sizeOf(shape.slice(0, axis)) },
    (_, outer) => (outer * shape[axis] + start) * inner * bytes,
  );
  const counts = [1, (end - start) * inner] as const;
  return moveRows(host, tensor, cut, { starts, counts, steps: [0, bytes], first: 0, width });
}

/** Picks of `[B, X, T, ...]`: `[picks, X, 1, ...]`. */
export function gather(
  host: Host,
  tensor: Tensor,
  picks: readonly (readonly [row: number, token: number])[],
): Tensor<'f32'> {
  assertAxis('gather', tensor, 2);
  const [batch, heads, tokens, ...rest] = tensor.shape as [number, number, number, ...number[]];
  for (const [row, token] of picks) {
    assertRange('gather: row', [row, row + 1], batch);
    assertRange('gather: token', [token, token + 1], tokens);
  }
  const shape = [picks.length, heads, 1, ...rest];
  // A tensor [B, X, T] has elements where others have rows.
  if (rest.length === 0) return gatherElements(host, tensor, shape, picks);
  const { width } = rowsOf(host, tensor);
  const bytes = rowBytes(tensor.dtype, width);
  const inner = sizeOf(rest.slice(0, -1));
  return moveRows(host, tensor, shape, {
    starts: picks.map(([row, token]) => (row * heads * tokens + token) * inner * bytes),
    counts: [heads, inner],
    steps: [tokens * inner * bytes, bytes],
    first: 0,
    width,
  });
}

function gatherElements(
  host: Host,
  tensor: Tensor,
  shape: readonly number[],
  picks: readonly (readonly [row: number, token: number])[],
): Tensor<'f32'> {
  const [, heads, tokens] = tensor.shape;
  const ptr = asFloats(host, tensor);
  const output = host.make(shape, 'f32');
  const source = host.memory.f32(ptr, tensor.size);
  const target = host.memory.f32(host.pointerOf(output), output.size);
  picks.forEach(([row, token], i) => {
    for (let head = 0; head < heads; head++)
      target[i * heads + head] = source[(row * heads + head) * tokens + token];
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
  const { width } = rowsOf(host, tensor);
  const bytes = rowBytes(tensor.dtype, width);
  const strides = tensor.shape.map((_, axis) => bytes * sizeOf(tensor.shape.slice(axis + 1, -1)));
  const leading = order.slice(0, -1);
  const lengths = [1, 1, 1, ...leading.map((axis) => tensor.shape[axis])].slice(-3);
  const steps = [0, 0, 0, ...leading.map((axis) => strides[axis])].slice(-3);
  return moveRows(host, tensor, shape, {
    starts: Array.from({ length: lengths[0] }, (_, i) => i * steps[0]),
    counts: [lengths[1], lengths[2]],
    steps: [steps[1], steps[2]],
    first: 0,
    width,
  });
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
