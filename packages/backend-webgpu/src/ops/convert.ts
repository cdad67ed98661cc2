import type { DType, Tensor } from '@jit-attention/core';

import { DEFAULT_THREADS, kernel, type Kernel, kernels, read, write } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { rowWords, type Storage, storageBytes } from '../storage.js';
import { rowReader } from '../wgsl/rows.js';
import { type Lanes, lanesFor, rowWriter } from '../wgsl/row-writer.js';
import { commonRuns, cuts, rowBytes, type Rows, rowsIn, type Run, runOf } from './row-runs.js';

/** Puts floats into a tensor of another dtype. */
export function encode(gpu: Gpu, data: Float32Array, tensor: Tensor): void {
  const to = rowsIn(gpu, tensor);
  const { rows, width } = to;
  for (const cut of cuts(gpu, rows, Math.max(4 * width, rowBytes(to)))) {
    const run = runOf(gpu, to, cut);
    const at = gpu.upload(data.subarray(cut[0] * width, cut[1] * width));
    convertRun(gpu, { dtype: 'f32', width, run: { ...run, at, skip: 0 } }, { ...to, run });
  }
}

/** The numbers of a tensor as f32, i32 as they are: itself, or a copy for the length of the primitive. */
export function decoded(gpu: Gpu, tensor: Tensor): Storage {
  const { dtype, shape } = tensor;
  const from = rowsIn(gpu, tensor);
  if (dtype === 'f32' || dtype === 'i32') return from.at;
  const at = gpu.scratch(storageBytes(shape, 'f32'));
  convert(gpu, from, { ...from, at, dtype: 'f32' });
  return at;
}

/** Rewrites rows in another dtype. */
export function convert(gpu: Gpu, from: Rows, to: Rows): void {
  for (const [source, result] of commonRuns(gpu, from, to))
    convertRun(gpu, { ...from, run: source }, { ...to, run: result });
}

interface Side extends Pick<Rows, 'dtype' | 'width'> {
  readonly run: Run;
}

function convertRun(gpu: Gpu, from: Side, to: Side): void {
  const lanes = lanesFor(rowWords(to.dtype, to.width));
  gpu.run(conversion(from.dtype, to.dtype, lanes), {
    words: conversionWords(from, to),
    buffers: [from.run.at, to.run.at],
    groups: conversionGroups(from.run, lanes),
  });
}

/** Words 1 to 6 of {@link conversionKernel}. */
export const conversionWords = (from: Side, to: Side): number[] => [
  ...[from.run.rows, from.width],
  ...[rowWords(from.dtype, from.width), from.run.skip],
  ...[rowWords(to.dtype, to.width), to.run.skip],
];

export const conversionGroups = ({ rows }: Run, lanes: Lanes): number =>
  Math.ceil((rows * lanes) / DEFAULT_THREADS);

const conversion = kernels((from: DType, to: DType, lanes: Lanes) =>
  conversionKernel(`convert ${from} to ${to}`, { from, to, lanes }, 'return i32(row);'),
);

/**
 * A kernel that writes rows in another dtype, `[rows, width, words of a source row, its skip, words of a result row,
 * its skip]`. `place` is the body of a function that says where row `row` of the source goes, -1: nowhere.
 */
export function conversionKernel(
  name: string,
  { from, to, lanes }: { from: DType; to: DType; lanes: Lanes },
  place: string,
): Kernel {
  // Integers that stay integers are moved as they are.
  const [read4, write4] = from === 'i32' && to === 'i32' ? (['f32', 'f32'] as const) : [from, to];
  return kernel({
    name,
    buffers: { source: read('u32'), result: write('u32') },
    declarations: `${rowReader('source', read4)}
${rowWriter('result', write4, lanes, 'source_at(source_row, d)')}
fn place(row: u32) -> i32 { ${place} }`,
    body: /* wgsl */ `
  let rows = u32(words[1]);
  let row = min(item / ${lanes}u, rows - 1u);
  let to = place(row);
  let source_row = u32(words[4]) + row * u32(words[3]);
  let result_row = u32(words[6]) + u32(max(to, 0)) * u32(words[5]);
  let live = item / ${lanes}u < rows && to >= 0;
  result_write(result_row, u32(words[2]), source_row, lane, live);`,
  });
}
