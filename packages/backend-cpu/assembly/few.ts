import { STRIP } from './gemm';
import { madd } from './simd';

/**
 * The second product of attention for at most four query rows, as in a decode step: values are read where they lie,
 * as packing them would cost more than it saves.
 */

/**
 * `output[rows] += strip[rows][count] · values`, output as in `addValues`; `values` holds the address of every
 * value.
 */
export function addRows(
  strip: usize,
  rows: i32,
  values: usize,
  count: i32,
  width: i32,
  output: usize,
): void {
  for (let r = 0; r < rows; r++) {
    const weights = strip + r * STRIP;
    const target = output + (r << 5);
    let column = 0;
    for (; column + 32 <= width; column += 32) {
      add32(weights, values, column << 2, count, target + (column << 4));
    }
    for (; column < width; column += 8) {
      const channels = min(8, width - column);
      addTail(weights, values, column << 2, channels, count, target + (column << 4));
    }
  }
}

/** 32 channels in eight accumulators. */
export function add32(
  weights: usize,
  values: usize,
  offset: usize,
  count: i32,
  output: usize,
): void {
  let c0 = v128.load(output);
  let c1 = v128.load(output, 16);
  let c2 = v128.load(output, 128);
  let c3 = v128.load(output, 144);
  let c4 = v128.load(output, 256);
  let c5 = v128.load(output, 272);
  let c6 = v128.load(output, 384);
  let c7 = v128.load(output, 400);
  const end = weights + (count << 2);
  while (weights < end) {
    const value = <usize>load<u32>(values) + offset;
    const weight = v128.load32_splat(weights);
    c0 = madd(weight, v128.load(value), c0);
    c1 = madd(weight, v128.load(value, 16), c1);
    c2 = madd(weight, v128.load(value, 32), c2);
    c3 = madd(weight, v128.load(value, 48), c3);
    c4 = madd(weight, v128.load(value, 64), c4);
    c5 = madd(weight, v128.load(value, 80), c5);
    c6 = madd(weight, v128.load(value, 96), c6);
    c7 = madd(weight, v128.load(value, 112), c7);
    weights += 4;
    values += 4;
  }
  v128.store(output, c0);
  v128.store(output, c1, 16);
  v128.store(output, c2, 128);
  v128.store(output, c3, 144);
  v128.store(output, c4, 256);
  v128.store(output, c5, 272);
  v128.store(output, c6, 384);
  v128.store(output, c7, 400);
}

function addTail(
  weights: usize,
  values: usize,
  offset: usize,
  channels: i32,
  count: i32,
  output: usize,
): void {
  for (let i = 0; i < count; i++) {
    const value = <usize>load<u32>(values + (i << 2)) + offset;
    const weight = load<f32>(weights + (i << 2));
    for (let d = 0; d < channels; d++) {
      const at = output + (d << 2);
      store<f32>(at, load<f32>(at) + weight * load<f32>(value + (d << 2)));
    }
  }
}

/** Whether none of the first `width` channels of the rows is infinite or NaN: `x - x` is 0 for all others. */
export function areFinite(rows: usize, count: i32, width: i32): bool {
  let sum: f32 = 0;
  for (let i = 0; i < count; i++) {
    const row = <usize>load<u32>(rows + (i << 2));
    for (let d = 0; d < width; d++) sum += load<f32>(row + (d << 2)) - load<f32>(row + (d << 2));
  }
  return sum === 0;
}

/** As {@link addRows}, but values without weight are left alone, whatever they are. */
export function addWeighted(
  strip: usize,
  rows: i32,
  values: usize,
  count: i32,
  width: i32,
  output: usize,
): void {
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < count; i++) {
      const weight = strip + r * STRIP + (i << 2);
      if (load<f32>(weight) === 0) continue;
      for (let column = 0; column < width; column += 8) {
        const target = output + (r << 5) + (column << 4);
        addTail(weight, values + (i << 2), column << 2, min(8, width - column), 1, target);
      }
    }
  }
}
