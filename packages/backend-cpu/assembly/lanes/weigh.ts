import { madd } from '../simd';
import { LANES, nextBlock } from './block';

/**
 * `output[width][8] += values · weights` for weights `[count][8]` and the first `width` channels, a multiple of 4, of
 * as many values, by their addresses.
 */
export function weighLanes(
  weights: usize,
  count: i32,
  values: usize,
  width: i32,
  output: usize,
): void {
  const end = weights + count * LANES;
  let channel: usize = 0;
  while (width > 0) {
    const block = nextBlock(width);
    if (block === 6) weighSix(weights, end, values, channel, output);
    else weighFour(weights, end, values, channel, output);
    channel += block << 2;
    output += block * LANES;
    width -= block;
  }
}

export function weighSix(
  weights: usize,
  end: usize,
  values: usize,
  channel: usize,
  output: usize,
): void {
  let a0 = v128.load(output);
  let b0 = v128.load(output, 16);
  let a1 = v128.load(output, 32);
  let b1 = v128.load(output, 48);
  let a2 = v128.load(output, 64);
  let b2 = v128.load(output, 80);
  let a3 = v128.load(output, 96);
  let b3 = v128.load(output, 112);
  let a4 = v128.load(output, 128);
  let b4 = v128.load(output, 144);
  let a5 = v128.load(output, 160);
  let b5 = v128.load(output, 176);
  while (weights < end) {
    const value = <usize>load<u32>(values) + channel;
    const a = v128.load(weights);
    const b = v128.load(weights, 16);
    let x = v128.load32_splat(value);
    a0 = madd(x, a, a0);
    b0 = madd(x, b, b0);
    x = v128.load32_splat(value, 4);
    a1 = madd(x, a, a1);
    b1 = madd(x, b, b1);
    x = v128.load32_splat(value, 8);
    a2 = madd(x, a, a2);
    b2 = madd(x, b, b2);
    x = v128.load32_splat(value, 12);
    a3 = madd(x, a, a3);
    b3 = madd(x, b, b3);
    x = v128.load32_splat(value, 16);
    a4 = madd(x, a, a4);
    b4 = madd(x, b, b4);
    x = v128.load32_splat(value, 20);
    a5 = madd(x, a, a5);
    b5 = madd(x, b, b5);
    weights += LANES;
    values += 4;
  }
  v128.store(output, a0);
  v128.store(output, b0, 16);
  v128.store(output, a1, 32);
  v128.store(output, b1, 48);
  v128.store(output, a2, 64);
  v128.store(output, b2, 80);
  v128.store(output, a3, 96);
  v128.store(output, b3, 112);
  v128.store(output, a4, 128);
  v128.store(output, b4, 144);
  v128.store(output, a5, 160);
  v128.store(output, b5, 176);
}

export function weighFour(
  weights: usize,
  end: usize,
  values: usize,
  channel: usize,
  output: usize,
): void {
  let a0 = v128.load(output);
  let b0 = v128.load(output, 16);
  let a1 = v128.load(output, 32);
  let b1 = v128.load(output, 48);
  let a2 = v128.load(output, 64);
  let b2 = v128.load(output, 80);
  let a3 = v128.load(output, 96);
  let b3 = v128.load(output, 112);
  while (weights < end) {
    const value = <usize>load<u32>(values) + channel;
    const a = v128.load(weights);
    const b = v128.load(weights, 16);
    let x = v128.load32_splat(value);
    a0 = madd(x, a, a0);
    b0 = madd(x, b, b0);
    x = v128.load32_splat(value, 4);
    a1 = madd(x, a, a1);
    b1 = madd(x, b, b1);
    x = v128.load32_splat(value, 8);
    a2 = madd(x, a, a2);
    b2 = madd(x, b, b2);
    x = v128.load32_splat(value, 12);
    a3 = madd(x, a, a3);
    b3 = madd(x, b, b3);
    weights += LANES;
    values += 4;
  }
  v128.store(output, a0);
  v128.store(output, b0, 16);
  v128.store(output, a1, 32);
  v128.store(output, b1, 48);
  v128.store(output, a2, 64);
  v128.store(output, b2, 80);
  v128.store(output, a3, 96);
  v128.store(output, b3, 112);
}

/** As {@link weighLanes}, but values without weight are left alone, whatever they are: 0 times Infinity is not 0. */
export function weighSome(
  weights: usize,
  count: i32,
  values: usize,
  width: i32,
  output: usize,
): void {
  for (let i = 0; i < count; i++) {
    const value: usize = load<u32>(values + (i << 2));
    for (let half = 0; half < LANES; half += 16) {
      addSome(v128.load(weights + i * LANES + half), value, width, output + half);
    }
  }
}

function addSome(weight: v128, value: usize, width: i32, output: usize): void {
  const counts = f32x4.ne(weight, f32x4.splat(0));
  for (const end = output + width * LANES; output < end; output += LANES) {
    const before = v128.load(output);
    const after = f32x4.add(before, f32x4.mul(weight, v128.load32_splat(value)));
    v128.store(output, v128.bitselect(after, before, counts));
    value += 4;
  }
}
