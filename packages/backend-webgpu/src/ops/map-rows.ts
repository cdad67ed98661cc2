import type { DType, Tensor } from '@jit-attention/core';

import {
  type BufferUse,
  DEFAULT_THREADS,
  kernel,
  type Kernel,
  read,
  write,
} from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { rowWords, type Storage } from '../storage.js';
import { rowReader } from '../wgsl/rows.js';
import { type Lanes, lanesFor } from '../wgsl/row-writer.js';
import { commonRuns, rowsIn } from './row-runs.js';

/** A kernel that makes a row `y` of each row `x` of the same width. */
export interface RowKernel {
  readonly name: string;
  readonly dtype: DType;
  /** Threads that share a row. */
  readonly lanes: Lanes;
  /** Buffers beside `x` and `y`. */
  readonly buffers?: Readonly<Record<string, BufferUse>> | undefined;
  readonly declarations?: string | undefined;
  /**
   * It reads `x_at(x_row, d)` and sets `y[y_row + d]` for the columns that are the thread's, {@link EACH_COLUMN}. It
   * knows `row`, the number of the row in the tensor, its `width`, and the words of the call from `EXTRA` on. All
   * threads come to its barriers; those that are not `live` have somebody else's row, and write nothing.
   */
  readonly body: string;
}

export const EACH_COLUMN = 'for (var d = item % LANES; d < width; d += LANES)';

export function rowKernel(parts: RowKernel): Kernel {
  const { name, dtype, lanes, buffers = {}, declarations = '', body } = parts;
  return kernel({
    name: `${name} ${dtype}`,
    buffers: { x: read('u32'), y: write('f32'), ...buffers },
    declarations: `
const LANES = ${lanes}u;
const EXTRA = 7;
${rowReader('x', dtype)}
${declarations}`,
    body: /* wgsl */ `
  let live = item / LANES < u32(words[1]);
  let at = min(item / LANES, u32(words[1]) - 1u);
  let row = at + u32(words[2]);
  let width = u32(words[3]);
  let x_row = u32(words[4]) + at * u32(words[5]);
  let y_row = u32(words[6]) + at * width;
${body}`,
  });
}

/** What a {@link rowKernel} reads beside `x`: the buffers that it declares, and words from `EXTRA` on. */
export interface RowCall {
  readonly words?: readonly number[] | undefined;
  readonly buffers?: readonly Storage[] | undefined;
}

/** Columns of a thread: some, so that there is little to bring together, and few, for rows to be read by many. */
const COLUMNS = 8;

export function mapRows(
  gpu: Gpu,
  x: Tensor,
  kernelOf: (dtype: DType, lanes: Lanes) => Kernel,
  { words = [], buffers = [] }: RowCall = {},
): Tensor<'f32'> {
  const y = gpu.make(x.shape, 'f32');
  const [from, to] = [rowsIn(gpu, x), rowsIn(gpu, y)];
  const { dtype, width } = from;
  const lanes = lanesFor(Math.ceil(width / COLUMNS));
  const rowKernel = kernelOf(dtype, lanes);
  for (const [source, result] of commonRuns(gpu, from, to)) {
    const { rows, first } = source;
    gpu.run(rowKernel, {
      words: [rows, first, width, source.skip, rowWords(dtype, width), result.skip, ...words],
      buffers: [source.at, result.at, ...buffers],
      groups: Math.ceil((rows * lanes) / DEFAULT_THREADS),
    });
  }
  return y;
}

/** `row_NAME(partial, lane)`: what the threads of a row have, brought together for all of them; a barrier. */
export const rowReduction = (name: 'sum' | 'min' | 'max'): string => /* wgsl */ `
var<workgroup> ${name}_partials: array<f32, ${DEFAULT_THREADS}>;
fn row_${name}(partial: f32, lane: u32) -> f32 {
  workgroupBarrier(); // until everybody has read the last ones
  ${name}_partials[lane] = partial;
  workgroupBarrier();
  let first = lane / LANES * LANES;
  var whole = ${name}_partials[first];
  for (var i = 1u; i < LANES; i++) { whole = ${JOIN[name].replace('NEXT', `${name}_partials[first + i]`)}; }
  return whole;
}
`;

const JOIN = { sum: 'whole + NEXT', min: 'min(whole, NEXT)', max: 'max(whole, NEXT)' };
