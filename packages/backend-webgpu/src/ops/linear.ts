import {
  assertOneOf,
  assertShape,
  inputError,
  type LinearOptions,
  type Tensor,
} from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import { rowWords, type Storage } from '../storage.js';
import { decoded } from './convert.js';
import { ACTIVATIONS, productKernel } from './linear-kernels.js';
import { commonRuns, type Rows, rowsIn, type Run, runsOf } from './row-runs.js';

/** See `Ops.linear`. */
export function linear(gpu: Gpu, x: Tensor, options: LinearOptions): Tensor<'f32'> {
  const { weight, bias, activation } = options;
  const { width } = rowsIn(gpu, x);
  if (weight.shape.length !== 2)
    throw inputError('linear: weight', '[out, in]', [...weight.shape], { code: 'INVALID_SHAPE' });
  const [outWidth] = weight.shape as [number];
  assertShape('linear: weight', weight, [outWidth, width]);
  const heads = biasHeads(x, bias);
  if (bias) assertShape('linear: bias', bias, [...heads, outWidth]);
  if (activation !== undefined) assertOneOf('linear', 'activation', activation, ACTIVATIONS);

  const y = gpu.make([...x.shape.slice(0, -1), outWidth], 'f32');
  const from: Rows = { ...rowsIn(gpu, x), at: decoded(gpu, x), dtype: 'f32' };
  multiply(gpu, from, rowsIn(gpu, weight), rowsIn(gpu, y), {
    bias: bias ? decoded(gpu, bias) : gpu.upload(Float32Array.of(0)),
    words: [
      ...[heads[0] ?? 1, x.shape.at(-2) ?? 1],
      ...[bias ? 1 : 0, activation ? 1 + ACTIVATIONS.indexOf(activation) : 0],
    ],
  });
  return y;
}

/** `[heads]` where each head of x `[batch, heads, tokens, in]` has a bias of its own. */
const biasHeads = (x: Tensor, bias: Tensor | undefined): readonly number[] =>
  bias?.shape.length === 2 && x.shape.length === 4 ? [x.shape[1]] : [];

/** The last words of a product, and the bias. */
interface Rest {
  readonly words: readonly number[];
  readonly bias: Storage;
}

function multiply(gpu: Gpu, x: Rows, weight: Rows, y: Rows, { words, bias }: Rest): void {
  const of = {
    ...{ weight: weight.dtype, whole: x.width % 4 === 0 },
    quads: gpu.features.has('subgroups'),
  };
  const run = (columns: Run, rows: Run, results: Run): void => {
    const { kernel, groups } = productKernel([rows.rows, columns.rows], of);
    gpu.run(kernel, {
      words: [
        ...[rows.rows, rows.first, columns.rows, columns.first, y.width, x.width, rows.skip],
        ...[rowWords(weight.dtype, weight.width), columns.skip, results.skip, ...words],
      ],
      buffers: [rows.at, columns.at, bias, results.at],
      groups,
    });
  };
  for (const columns of runsOf(gpu, weight))
    for (const [rows, results] of commonRuns(gpu, x, y)) run(columns, rows, results);
}
