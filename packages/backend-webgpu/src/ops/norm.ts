import { assertShape, type DType, type Ops, type Tensor } from '@jit-attention/core';

import { kernels, read } from '../device/kernel.js';
import { floatWord, type Gpu } from '../gpu.js';
import type { Lanes } from '../wgsl/row-writer.js';
import { decoded } from './convert.js';
import { EACH_COLUMN, mapRows, rowKernel, rowReduction } from './map-rows.js';

/** See `Ops.norm`. */
export function norm(
  gpu: Gpu,
  x: Tensor,
  { kind, eps, weight, bias }: Parameters<Ops['norm']>[1],
): Tensor<'f32'> {
  const width = x.shape.at(-1) ?? 1;
  if (weight) assertShape('norm: weight', weight, [width]);
  if (bias) assertShape('norm: bias', bias, [width]);
  const vectors = [weight, bias].filter((tensor) => tensor !== undefined);
  const hasWeight = weight !== undefined;
  const hasBias = bias !== undefined;
  return mapRows(gpu, x, (...of) => normalising(...of, kind, hasWeight, hasBias), {
    words: [floatWord(eps)],
    buffers: vectors.map((tensor) => decoded(gpu, tensor)),
  });
}

const normalising = kernels(
  (dtype: DType, lanes: Lanes, kind: 'rms' | 'layer', hasWeight: boolean, hasBias: boolean) =>
    rowKernel({
      ...{ name: `${kind} norm`, dtype, lanes },
      buffers: {
        ...(hasWeight && { weight: read('f32') }),
        ...(hasBias && { bias: read('f32') }),
      },
      declarations: rowReduction('sum'),
      body: /* wgsl */ `
  var mean = 0.0;${kind === 'layer' ? MEAN : ''}
  var squares = 0.0;
  ${EACH_COLUMN} {
    let value = x_at(x_row, d) - mean;
    squares += value * value;
  }
  let variance = row_sum(squares, lane) / f32(width);
  let factor = inverseSqrt(variance + bitcast<f32>(words[EXTRA]));
  if (!live) { return; }
  ${EACH_COLUMN} {
    var value = (x_at(x_row, d) - mean) * factor;
    ${hasWeight ? 'value *= weight[d];' : ''}
    ${hasBias ? 'value += bias[d];' : ''}
    y[y_row + d] = value;
  }`,
    }),
);

const MEAN = /* wgsl */ `
  ${EACH_COLUMN} { mean += x_at(x_row, d); }
  mean = row_sum(mean, lane) / f32(width);`;
