import { STRIP } from './gemm';
import { horizontalSum, madd } from './simd';

/**
 * The two products of attention for at most four query rows, as in a decode step: keys and values are read where
 * they lie, as packing them would cost more than it saves.
 */

/** `strip[rows][count] = queries[rows][depth] · keysᵀ`; `keys` holds the address of every key. */
export function multiplyRows(
  queries: usize,
  rows: i32,
  keys: usize,
  count: i32,
  depth: i32,
  strip: usize,
): void {
  const whole = count & ~3;
  for (let r = 0; r < rows; r++) {
    const query = queries + ((r * depth) << 2);
    const logits = strip + r * STRIP;
    for (let i = 0; i < whole; i += 4) fourKeys(query, keys + (i << 2), depth, logits + (i << 2));
    for (let i = whole; i < count; i++) {
      store<f32>(logits + (i << 2), dot(query, <usize>load<u32>(keys + (i << 2)), depth));
    }
  }
}

/** One query against four keys: four sums in flight hide the latency of the multiply-add. */
export function fourKeys(query: usize, keys: usize, depth: i32, logits: usize): void {
  let a = <usize>load<u32>(keys);
  let b = <usize>load<u32>(keys, 4);
  let c = <usize>load<u32>(keys, 8);
  let d = <usize>load<u32>(keys, 12);
  let sumA = f32x4.splat(0);
  let sumB = f32x4.splat(0);
  let sumC = f32x4.splat(0);
  let sumD = f32x4.splat(0);
  const end = query + ((depth & ~3) << 2);
  for (; query < end; query += 16) {
    const q = v128.load(query);
    sumA = madd(q, v128.load(a), sumA);
    sumB = madd(q, v128.load(b), sumB);
    sumC = madd(q, v128.load(c), sumC);
    sumD = madd(q, v128.load(d), sumD);
    a += 16;
    b += 16;
    c += 16;
    d += 16;
  }
  let sums = transposedSum(sumA, sumB, sumC, sumD);
  for (let rest = depth & 3; rest > 0; rest--) {
    const keysHere = f32x4(load<f32>(a), load<f32>(b), load<f32>(c), load<f32>(d));
    sums = madd(v128.load32_splat(query), keysHere, sums);
    query += 4;
    a += 4;
    b += 4;
    c += 4;
    d += 4;
  }
  v128.store(logits, sums);
}

/** The sums of four vectors as one vector. @inline */
function transposedSum(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(i32x4.shuffle(a, b, 0, 4, 1, 5), i32x4.shuffle(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(i32x4.shuffle(c, d, 0, 4, 1, 5), i32x4.shuffle(c, d, 2, 6, 3, 7));
  return f32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

function dot(a: usize, b: usize, depth: i32): f32 {
  let sums = f32x4.splat(0);
  const end = a + ((depth & ~3) << 2);
  for (; a < end; a += 16) {
    sums = madd(v128.load(a), v128.load(b), sums);
    b += 16;
  }
  let sum = horizontalSum(sums);
  for (let rest = depth & 3; rest > 0; rest--) {
    sum += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return sum;
}

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
