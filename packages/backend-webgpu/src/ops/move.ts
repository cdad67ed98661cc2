import type { DType, Tensor } from '@jit-attention/core';

import { DEFAULT_THREADS, kernel, kernels, read, write } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { rowWords } from '../storage.js';
import { rowReader } from '../wgsl/rows.js';
import { rowsIn, runsOf } from './row-runs.js';

/** Where the elements of a result come from. */
export interface Moved {
  /** Of the result. */
  readonly shape: readonly number[];
  /** For each axis, how many elements of the source lie between neighbours. */
  readonly strides: readonly number[];
  /** The element of the source that is the first one. */
  readonly base?: number | undefined;
  /** For each index of the first axis, the element of the source that it begins with; its stride is not used. */
  readonly starts?: readonly number[] | undefined;
}

/** Moves elements into a tensor as f32, or integers as they are. A thread moves one, or four of a row. */
export function move(gpu: Gpu, source: Tensor, result: Tensor, moved: Moved): void {
  if (result.size === 0) return;
  const [from, to] = [rowsIn(gpu, source), rowsIn(gpu, result)];
  // Integers that stay integers are moved as floats are.
  const dtype = result.dtype === 'i32' ? 'f32' : source.dtype;
  const { base = 0, starts } = moved;
  const axes = collapsed(moved);
  const step = dtype !== 'i32' && movesFours(from.width, axes, [base, ...(starts ?? [])]) ? 4 : 1;
  for (const into of runsOf(gpu, to)) {
    for (const run of runsOf(gpu, from)) {
      const items = (into.rows * to.width) / step;
      gpu.run(moving(dtype, step, axes.length, starts !== undefined), {
        words: [
          ...[items, (into.first * to.width) / step, into.skip],
          ...[run.rows, run.first, run.skip, from.width, rowWords(from.dtype, from.width)],
          ...[base, ...axes.flat(), ...(starts ?? [])],
        ],
        buffers: [run.at, into.at],
        groups: Math.ceil(items / DEFAULT_THREADS),
      });
    }
  }
}

type Axis = readonly [length: number, stride: number];

/** Axes that lie in the source as they do in the result are one; those of one index are none. */
function collapsed({ shape, strides, starts }: Moved): Axis[] {
  const axes: Axis[] = [];
  shape.forEach((length, i) => {
    if (i > 0 && length === 1) return;
    const [last, stride] = axes.at(-1) ?? [0, 0];
    const joins = axes.length > (starts ? 1 : 0) && stride === strides[i] * length;
    if (joins) axes[axes.length - 1] = [last * length, strides[i]];
    else axes.push([length, strides[i]]);
  });
  return axes;
}

/** Whether four neighbours are always four neighbours of one row. */
function movesFours(width: number, axes: readonly Axis[], starts: readonly number[]): boolean {
  const [length, stride] = axes.at(-1)!;
  const others = axes.slice(0, -1).map(([, stride]) => stride);
  return stride === 1 && [width, length, ...others, ...starts].every((n) => n % 4 === 0);
}

const moving = kernels((dtype: DType, step: 1 | 4, rank: number, listed: boolean) =>
  kernel({
    name: `move ${dtype}`,
    buffers: { source: read('u32'), result: write('u32') },
    declarations: rowReader('source', dtype),
    body: /* wgsl */ `
  if (item >= u32(words[1])) { return; }
  var rest = ${step}u * (item + u32(words[2]));
  var at = u32(words[9]);
  for (var axis = ${rank - 1}; axis > 0; axis--) {
    let length = u32(words[10 + 2 * axis]);
    at += rest % length * u32(words[11 + 2 * axis]);
    rest /= length;
  }
  at += ${listed ? `u32(words[${10 + 2 * rank}u + rest])` : 'rest * u32(words[11])'};
  let width = u32(words[7]);
  let row = at / width - u32(words[5]);
  if (row >= u32(words[4])) { return; }
  let place = u32(words[6]) + row * u32(words[8]);
  let to = u32(words[3]) + ${step}u * item;
  ${step === 1 ? STORES_ONE : STORES_FOUR}`,
  }),
);

const STORES_ONE = 'result[to] = bitcast<u32>(source_at(place, at % width));';
const STORES_FOUR = /* wgsl */ `
  let four = bitcast<vec4u>(source_4(place, at % width));
  for (var i = 0u; i < 4; i++) { result[to + i] = four[i]; }`;
