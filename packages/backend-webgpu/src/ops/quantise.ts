import type { DType, Ops, Tensor } from '@jit-attention/core';

import { kernels } from '../device/kernel.js';
import { floatWord, type Gpu } from '../gpu.js';
import type { Lanes } from '../wgsl/row-writer.js';
import { EACH_COLUMN, mapRows, rowKernel, rowReduction } from './map-rows.js';

type Range = Parameters<Ops['quantise']>[1]['range'];

/** See `Ops.quantise`. */
export function quantise(
  gpu: Gpu,
  x: Tensor,
  { bits, range }: Parameters<Ops['quantise']>[1],
): Tensor<'f32'> {
  const steps = range === 'absmax' ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return mapRows(gpu, x, (...of) => quantising(...of, range), { words: [floatWord(steps)] });
}

const quantising = kernels((dtype: DType, lanes: Lanes, range: Range) =>
  rowKernel({
    ...{ name: `quantise ${range}`, dtype, lanes },
    declarations: rowReduction('min') + rowReduction('max'),
    body: /* wgsl */ `
  ${RANGES[range]}
  let scale = (high - low) / bitcast<f32>(words[EXTRA]);
  if (!live) { return; }
  ${EACH_COLUMN} {
    let value = x_at(x_row, d);
    // A row of one number, or of numbers too small for a scale, stays as it is.
    if (scale > 0) { y[y_row + d] = low + scale * floor((value - low) / scale + 0.5); }
    else { y[y_row + d] = value; }
  }`,
  }),
);

/** What lies between the code 0 and the largest one. */
const RANGES: Record<Range, string> = {
  absmax: /* wgsl */ `
  let low = 0.0;
  var high = 0.0;
  ${EACH_COLUMN} { high = max(high, abs(x_at(x_row, d))); }
  high = row_max(high, lane);`,
  minmax: /* wgsl */ `
  var low = x_at(x_row, 0);
  var high = low;
  ${EACH_COLUMN} {
    low = min(low, x_at(x_row, d));
    high = max(high, x_at(x_row, d));
  }
  low = row_min(low, lane);
  high = row_max(high, lane);`,
};
