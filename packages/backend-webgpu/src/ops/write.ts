import { assertCopyPages, assertWriteRows, type DType, type Tensor } from '@jit-attention/core';

import { kernels } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { rowWords, type Storage } from '../storage.js';
import { type Lanes, lanesFor } from '../wgsl/row-writer.js';
import { conversionGroups, conversionKernel, conversionWords } from './convert.js';
import { rowsIn, runsOf, stretch } from './row-runs.js';

/** Writes into tensors that are there already. */

/** See `Backend.writeRows`. */
export function writeRows(gpu: Gpu, target: Tensor, source: Tensor, slots: Int32Array): void {
  assertWriteRows(target, source, slots);
  const [, heads, pageSize, width] = target.shape as [number, number, number, number];
  const tokens = source.shape[2];
  const [from, to] = [rowsIn(gpu, source), rowsIn(gpu, target)];
  const lanes = lanesFor(rowWords(to.dtype, width));
  for (const source of runsOf(gpu, from)) {
    for (const result of runsOf(gpu, to)) {
      const words = conversionWords({ ...from, run: source }, { ...to, run: result });
      gpu.run(placing(from.dtype, to.dtype, lanes), {
        words: [...words, source.first, result.first, result.rows, heads, tokens, pageSize].concat(
          Array.from(slots),
        ),
        buffers: [source.at, result.at],
        groups: conversionGroups(source, lanes),
      });
    }
  }
}

const placing = kernels((from: DType, to: DType, lanes: Lanes) =>
  conversionKernel(
    `write rows of ${from} as ${to}`,
    { from, to, lanes },
    /* wgsl */ `
  let at = words[7] + i32(row);
  let heads = words[10];
  let tokens = words[11];
  let page_size = words[12];
  let slot = words[13 + at / (heads * tokens) * tokens + at % tokens];
  if (slot < 0) { return -1; }
  let head = at / tokens % heads;
  let to = (slot / page_size * heads + head) * page_size + slot % page_size - words[8];
  return select(-1, to, to >= 0 && to < words[9]);
`,
  ),
);

/** See `Backend.copyPages`. */
export function copyPages(
  gpu: Gpu,
  source: Tensor,
  target: Tensor,
  from: readonly number[],
  to: readonly number[],
): void {
  assertCopyPages(source, target, from, to);
  const [start, end] = [gpu.storageOf(source), gpu.storageOf(target)];
  if (from.length === 0) return;
  const bytes = start.bytes / source.shape[0];
  if (start.buffer !== end.buffer) return copyBlocks(gpu, bytes, [start, from], [end, to]);
  // Pages that are read and written: all are read first.
  const between = from.map((_, i) => i);
  const spare = gpu.scratch(from.length * bytes);
  copyBlocks(gpu, bytes, [start, from], [spare, between]);
  copyBlocks(gpu, bytes, [spare, between], [end, to]);
}

/** Copies blocks of equal size; such as follow each other on both sides go together. */
function copyBlocks(
  gpu: Gpu,
  bytes: number,
  [source, from]: readonly [Storage, readonly number[]],
  [target, to]: readonly [Storage, readonly number[]],
): void {
  let start = 0;
  for (let end = 1; end <= from.length; end++) {
    if (end < from.length && isNext(from, end) && isNext(to, end)) continue;
    const size = (end - start) * bytes;
    gpu.copy(stretch(source, from[start] * bytes, size), stretch(target, to[start] * bytes, size));
    start = end;
  }
}

const isNext = (blocks: readonly number[], i: number): boolean => blocks[i] === blocks[i - 1] + 1;
