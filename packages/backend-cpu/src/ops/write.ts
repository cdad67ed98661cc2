import {
  assertCopyInto,
  assertCopyPages,
  assertWriteRows,
  rowBytes,
  sizeOf,
  type Tensor,
} from '@jit-attention/core';

import type { Host } from '../host.js';
import { place, rowsOf } from './convert.js';
import { shares } from './shares.js';

/** Writes into tensors that are there already. */

/** See `Backend.writeRows`. */
export function writeRows(host: Host, target: Tensor, source: Tensor, slots: Int32Array): void {
  assertWriteRows(target, source, slots);
  const [, heads, pageSize, width] = target.shape as [number, number, number, number];
  const [batch, , tokens] = source.shape as [number, number, number];
  const rows = batch * heads * tokens;
  const [share, tasks] = shares(host, rows, 8 * width);
  const desc = host.arena.i32([
    ...[0, tasks, share, rows, width],
    ...place(rowsOf(host, source)),
    ...place(rowsOf(host, target)),
    ...[heads, tokens, pageSize, host.arena.i32(slots)],
  ]);
  host.run('writeSlots', desc, 4 * width);
}

/** Copies blocks of equal size; `from` and `to` are bytes from where each tensor's numbers begin. */
function copyBlocks(
  host: Host,
  bytes: number,
  { source, from }: { source: number; from: ArrayLike<number> },
  { target, to }: { target: number; to: ArrayLike<number> },
): void {
  const [share, tasks] = shares(host, from.length, 2 * bytes);
  const lists = [host.arena.i32(from), host.arena.i32(to)];
  host.run(
    'copyBlocks',
    host.arena.i32([0, tasks, share, from.length, bytes, source, lists[0], target, lists[1]]),
  );
}

/** See `Backend.copyPages`. */
export function copyPages(
  host: Host,
  source: Tensor,
  target: Tensor,
  from: readonly number[],
  to: readonly number[],
): void {
  assertCopyPages(source, target, from, to);
  const bytes = source.bytes / source.shape[0];
  const offsets = (pages: readonly number[]): number[] => pages.map((page) => page * bytes);
  const [start, end] = [host.pointerOf(source), host.pointerOf(target)];
  if (start !== end || !from.some((page) => to.includes(page))) {
    copyBlocks(
      host,
      bytes,
      { source: start, from: offsets(from) },
      { target: end, to: offsets(to) },
    );
    return;
  }
  // A page that is read and written: all are read first.
  const spare = host.arena.bytes(from.length * bytes);
  const between = offsets(from.map((_, i) => i));
  copyBlocks(host, bytes, { source: start, from: offsets(from) }, { target: spare, to: between });
  copyBlocks(host, bytes, { source: spare, from: between }, { target: end, to: offsets(to) });
}

/** See `Backend.copyInto`. */
export function copyInto(
  host: Host,
  target: Tensor,
  source: Tensor,
  { axis, at }: { axis: number; at: number },
): void {
  assertCopyInto(target, source, { axis, at });
  const { shape, dtype } = target;
  const [count, length] = [source.shape[axis], shape[axis]];
  const last = axis === shape.length - 1;
  const rows = sizeOf(shape.slice(axis + 1, -1));
  const inner = last ? rowBytes(dtype, 1) : rows * rowBytes(dtype, shape.at(-1)!);
  const outer = Array.from({ length: sizeOf(shape.slice(0, axis)) }, (_, i) => i);
  copyBlocks(
    host,
    count * inner,
    { source: host.pointerOf(source), from: outer.map((i) => i * count * inner) },
    { target: host.pointerOf(target), to: outer.map((i) => (i * length + at) * inner) },
  );
}
