import { type DType, inputError, type Tensor } from '@jit-attention/core';

import { DEFAULT_THREADS, kernel, kernels, read, write } from '../device/kernel.js';
import { floatWord, type Gpu } from '../gpu.js';
import { rowWords } from '../storage.js';
import { rowReader } from '../wgsl/rows.js';
import { commonRuns, type Rows, rowsIn } from './row-runs.js';

/** The longest line that fits into the workgroup memory that every device has. */
const LONGEST = 4096;
/** Numbers of a workgroup, unless a line has more. */
const TILE = 256;

/** See `Ops.hadamard`. A row of more than a workgroup can hold is a matrix, transformed along one axis, then the other. */
export function hadamard(gpu: Gpu, x: Tensor): Tensor<'f32'> {
  const from = rowsIn(gpu, x);
  const { width } = from;
  if (!(width > 0 && (width & (width - 1)) === 0 && width <= LONGEST ** 2)) {
    const expected = `a width that is a power of two, up to ${LONGEST ** 2}`;
    throw inputError('hadamard', expected, width, { code: 'INVALID_SHAPE' });
  }
  const y = gpu.make(x.shape, 'f32');
  const to = rowsIn(gpu, y);
  if (width <= LONGEST) {
    transform(gpu, from, to, { length: width, stride: 1 });
    return y;
  }
  const between = { ...to, at: gpu.scratch(to.at.bytes) };
  transform(gpu, from, between, { length: LONGEST, stride: 1 });
  transform(gpu, between, to, { length: width / LONGEST, stride: LONGEST });
  return y;
}

/** Transforms lines of `length` numbers, `stride` apart, in each row. */
function transform(
  gpu: Gpu,
  from: Rows,
  to: Rows,
  { length, stride }: { length: number; stride: number },
): void {
  const { dtype, width } = from;
  const tile = Math.max(TILE, length);
  const lines = tile / length;
  for (const [source, result] of commonRuns(gpu, from, to)) {
    const total = source.rows * (width / length);
    gpu.run(transforming(dtype, tile), {
      words: [
        ...[total, length, stride, width],
        ...[source.skip, rowWords(dtype, width), result.skip, floatWord(length ** -0.5)],
      ],
      buffers: [source.at, result.at],
      groups: Math.ceil(total / lines),
    });
  }
}

const transforming = kernels((dtype: DType, tile: number) =>
  kernel({
    name: `hadamard ${dtype}`,
    buffers: { x: read('u32'), y: write('f32') },
    declarations: /* wgsl */ `
const TILE = ${tile}u;
var<workgroup> tile: array<f32, TILE>;
${rowReader('x', dtype)}
// Where number i of the workgroup's lines is, counted from the first row.
fn place(group: u32, i: u32) -> u32 {
  let length = u32(words[2]);
  let stride = u32(words[3]);
  let line = (group * TILE + i) / length;
  return line / stride * stride * length + line % stride + i % length * stride;
}`,
    body: /* wgsl */ `
  let length = u32(words[2]);
  let width = u32(words[4]);
  let end = min(TILE, u32(words[1]) * length - group * TILE);
  for (var i = lane; i < end; i += ${DEFAULT_THREADS}u) {
    let at = place(group, i);
    tile[i] = x_at(u32(words[5]) + at / width * u32(words[6]), at % width);
  }
  for (var span = 1u; span < length; span *= 2u) {
    workgroupBarrier();
    for (var i = lane; i < TILE / 2u; i += ${DEFAULT_THREADS}u) {
      let first = i / span * 2u * span + i % span;
      let sum = tile[first] + tile[first + span];
      tile[first + span] = tile[first] - tile[first + span];
      tile[first] = sum;
    }
  }
  workgroupBarrier();
  for (var i = lane; i < end; i += ${DEFAULT_THREADS}u) {
    y[u32(words[7]) + place(group, i)] = tile[i] * bitcast<f32>(words[8]);
  }`,
  }),
);
