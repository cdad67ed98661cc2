import type { DType, Tensor } from '@jit-attention/core';

import { DEFAULT_THREADS, kernel, type Kernel, read, write } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { rowsOf, rowWords, type Storage, storageBytes } from '../storage.js';
import { rowReader } from '../wgsl/rows.js';
import { rowWriter } from '../wgsl/row-writer.js';

/** Rows of one width, however they are stored. */
export interface Rows {
  readonly at: Storage;
  readonly dtype: DType;
  readonly rows: number;
  readonly width: number;
}

export function rowsIn(gpu: Gpu, tensor: Tensor): Rows {
  const { dtype, shape } = tensor;
  return { at: gpu.storageOf(tensor), dtype, rows: rowsOf(shape), width: shape.at(-1) ?? 1 };
}

/** Puts floats into a tensor of another dtype. */
export function encode(gpu: Gpu, data: Float32Array, target: Tensor): void {
  const to = rowsIn(gpu, target);
  convert(gpu, { ...to, at: gpu.upload(data), dtype: 'f32' }, to);
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

/** Rewrites rows in another dtype; a thread writes a row. */
export function convert(gpu: Gpu, from: Rows, to: Rows): void {
  const { rows, width } = from;
  if (rows * width === 0) return;
  gpu.run(conversion(from.dtype, to.dtype), {
    words: [rows, width, rowWords(from.dtype, width), rowWords(to.dtype, width)],
    buffers: [from.at, to.at],
    groups: Math.ceil(rows / DEFAULT_THREADS),
  });
}

function conversion(from: DType, to: DType): Kernel {
  return kernel({
    name: `convert ${from} to ${to}`,
    buffers: { source: read('u32'), result: write('u32') },
    declarations: rowReader('source', from) + rowWriter('result', to, 'source_at(source_row, d)'),
    body: /* wgsl */ `
  if (item >= u32(words[1])) { return; }
  result_write(item * u32(words[4]), u32(words[2]), item * u32(words[3]));`,
  });
}
