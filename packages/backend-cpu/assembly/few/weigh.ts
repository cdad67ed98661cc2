import { madd } from '../simd';
import { TILE } from '../tiles';

/** The second product of attention for a few query rows, as in a decode step: each row on its own. */

/** `output[rows][width] += weights[rows][TILE] · values`, `count` of them by their addresses; width: whole vectors. */
export function weighRows(
  weights: usize,
  rows: i32,
  count: i32,
  values: usize,
  width: i32,
  output: usize,
): void {
  for (let r = 0; r < rows; r++) {
    let channel: usize = 0;
    for (let left = width; left > 0;) {
      const block = left >= 32 ? 32 : 4;
      if (block === 32) weigh32(weights, count, values, channel, output);
      else weigh4(weights, count, values, channel, output);
      channel += block << 2;
      output += block << 2;
      left -= block;
    }
    weights += TILE << 2;
  }
}

/** 32 channels in eight accumulators. */
export function weigh32(
  weights: usize,
  count: i32,
  values: usize,
  channel: usize,
  output: usize,
): void {
  let c0 = v128.load(output);
  let c1 = v128.load(output, 16);
  let c2 = v128.load(output, 32);
  let c3 = v128.load(output, 48);
  let c4 = v128.load(output, 64);
  let c5 = v128.load(output, 80);
  let c6 = v128.load(output, 96);
  let c7 = v128.load(output, 112);
  const end = weights + (count << 2);
  while (weights < end) {
    const value = <usize>load<u32>(values) + channel;
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
  v128.store(output, c2, 32);
  v128.store(output, c3, 48);
  v128.store(output, c4, 64);
  v128.store(output, c5, 80);
  v128.store(output, c6, 96);
  v128.store(output, c7, 112);
}

function weigh4(weights: usize, count: i32, values: usize, channel: usize, output: usize): void {
  let sum = v128.load(output);
  for (const end = weights + (count << 2); weights < end; weights += 4) {
    const value = <usize>load<u32>(values) + channel;
    sum = madd(v128.load32_splat(weights), v128.load(value), sum);
    values += 4;
  }
  v128.store(output, sum);
}

/** As {@link weighRows}, but values without weight are left alone, whatever they are: 0 times Infinity is not 0. */
export function weighSomeRows(
  weights: usize,
  rows: i32,
  count: i32,
  values: usize,
  width: i32,
  output: usize,
): void {
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < count; i++) {
      if (load<f32>(weights + (i << 2)) === 0) continue;
      weighRows(weights + (i << 2), 1, 1, values + (i << 2), width, output);
    }
    weights += TILE << 2;
    output += width << 2;
  }
}
