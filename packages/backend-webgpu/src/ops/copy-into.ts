import { assertCopyInto, sizeOf, type Tensor } from '@jit-attention/core';

import { DEFAULT_THREADS, kernel, kernels, read, write } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { rowWords, type Storage } from '../storage.js';
import { rowReader } from '../wgsl/rows.js';
import { type Lanes, lanesFor, rowWriter } from '../wgsl/row-writer.js';
import { conversionGroups } from './convert.js';
import { commonRuns, rowsIn, runsOf } from './row-runs.js';

/** See `Backend.copyInto`. */
export function copyInto(
  gpu: Gpu,
  target: Tensor,
  source: Tensor,
  { axis, at }: { axis: number; at: number },
): void {
  assertCopyInto(target, source, { axis, at });
  const { shape, dtype } = target;
  const [count, length] = [source.shape[axis], shape[axis]];
  if (source.size === 0) return;
  const isLast = axis === shape.length - 1;
  if (isLast && dtype === 'f16') return splice(gpu, target, source, at);

  const inner = isLast ? 1 : sizeOf(shape.slice(axis + 1, -1)) * rowWords(dtype, shape.at(-1)!);
  const [from, to] = [gpu.storageOf(source), gpu.storageOf(target)];
  copyBlocks(gpu, from, to, { block: count * inner, step: length * inner, start: at * inner });
}

/** Words: a block of the source every `step` of the target, the first at `start`. */
function copyBlocks(
  gpu: Gpu,
  from: Storage,
  to: Storage,
  { block, step, start }: { block: number; step: number; start: number },
): void {
  const words = (at: Storage) => runsOf(gpu, { at, dtype: 'i32', rows: at.bytes / 4, width: 1 });
  for (const source of words(from)) {
    for (const result of words(to)) {
      gpu.run(copying(), {
        words: [
          ...[source.rows, source.skip, source.first],
          ...[result.rows, result.skip, result.first],
          ...[block, step, start],
        ],
        buffers: [source.at, result.at],
        groups: Math.ceil(source.rows / DEFAULT_THREADS),
      });
    }
  }
}

const copying = kernels(() =>
  kernel({
    name: 'copy into',
    buffers: { source: read('u32'), result: write('u32') },
    body: /* wgsl */ `
  if (item >= u32(words[1])) { return; }
  let block = u32(words[7]);
  let at = item + u32(words[3]);
  let to = at / block * u32(words[8]) + u32(words[9]) + at % block - u32(words[6]);
  if (to >= u32(words[4])) { return; }
  result[u32(words[5]) + to] = source[u32(words[2]) + item];`,
  }),
);

/** Channels of f16, two of which share a word: rows are written anew, beside the target as no kernel reads what it writes. */
function splice(gpu: Gpu, target: Tensor, source: Tensor, at: number): void {
  const [into, from] = [rowsIn(gpu, target), rowsIn(gpu, source)];
  const { width } = into;
  const spliced = { ...into, at: gpu.scratch(into.at.bytes) };
  const lanes = lanesFor(rowWords('f16', width));
  for (const [held, source, result] of commonRuns(gpu, into, from, spliced)) {
    gpu.run(splicing(lanes), {
      words: [
        ...[held.rows, width, rowWords('f16', width), held.skip],
        ...[at, from.width, rowWords('f16', from.width), source.skip, result.skip],
      ],
      buffers: [held.at, source.at, result.at],
      groups: conversionGroups(held, lanes),
    });
  }
  gpu.copy(spliced.at, into.at, into.at.bytes);
}

const splicing = kernels((lanes: Lanes) =>
  kernel({
    name: 'copy into rows of f16',
    buffers: { held: read('u32'), source: read('u32'), result: write('u32') },
    declarations: `${rowReader('held', 'f16')}${rowReader('source', 'f16')}
fn spliced(row: u32, d: u32) -> f32 {
  let i = d - u32(words[5]);
  if (i < u32(words[6])) { return source_at(u32(words[8]) + row * u32(words[7]), i); }
  return held_at(u32(words[4]) + row * u32(words[3]), d);
}
${rowWriter('result', 'f16', lanes, 'spliced(source_row, d)')}`,
    body: /* wgsl */ `
  let rows = u32(words[1]);
  let row = min(item / ${lanes}u, rows - 1u);
  let result_row = u32(words[9]) + row * u32(words[3]);
  result_write(result_row, u32(words[2]), row, lane, item / ${lanes}u < rows);`,
  }),
);
