import { madd } from './simd';

/**
 * The matrix product of scoring: rows against keys that are anywhere, by their addresses, without packing either.
 *
 * Four keys by two rows, four channels a step: eight accumulators and six loads, which is 95 % of the multiply-add
 * peak on V8, as much as with packed panels. Two keys by four rows are as fast with relaxed SIMD and slower without;
 * unrolled twice, registers spill (70 %); four keys by one row wait for loads (70 %).
 */

/**
 * `out[r][j] = scale * (rows[r] · keys[j])` for rows `[rows][depth]`, of which `depth` is a multiple of 4, and `count` keys, a
 * multiple of 4. Every score is summed in the same order, wherever it stands: equal keys tie.
 *
 * @param pitch bytes from one row of `out` to the next
 */
export function dots(
  rows: usize,
  rowCount: i32,
  depth: i32,
  keys: usize,
  count: i32,
  out: usize,
  pitch: i32,
  scale: f32,
): void {
  const bytes = depth << 2;
  let r = 0;
  for (; r + 2 <= rowCount; r += 2) {
    dotTwo(rows + r * bytes, bytes, keys, count, out + r * pitch, pitch, scale);
  }
  if (r < rowCount) dotOne(rows + r * bytes, bytes, keys, count, out + r * pitch, scale);
}

function dotTwo(
  row: usize,
  bytes: i32,
  keys: usize,
  count: i32,
  out: usize,
  pitch: i32,
  scale: f32,
): void {
  const factor = f32x4.splat(scale);
  for (let j = 0; j < count; j += 4) {
    let k0: usize = load<u32>(keys);
    let k1: usize = load<u32>(keys, 4);
    let k2: usize = load<u32>(keys, 8);
    let k3: usize = load<u32>(keys, 12);
    let a = row;
    let b = row + bytes;
    const end = b;
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let a2 = f32x4.splat(0);
    let a3 = f32x4.splat(0);
    let b0 = f32x4.splat(0);
    let b1 = f32x4.splat(0);
    let b2 = f32x4.splat(0);
    let b3 = f32x4.splat(0);
    while (a < end) {
      const x = v128.load(a);
      const y = v128.load(b);
      let key = v128.load(k0);
      a0 = madd(x, key, a0);
      b0 = madd(y, key, b0);
      key = v128.load(k1);
      a1 = madd(x, key, a1);
      b1 = madd(y, key, b1);
      key = v128.load(k2);
      a2 = madd(x, key, a2);
      b2 = madd(y, key, b2);
      key = v128.load(k3);
      a3 = madd(x, key, a3);
      b3 = madd(y, key, b3);
      k0 += 16;
      k1 += 16;
      k2 += 16;
      k3 += 16;
      a += 16;
      b += 16;
    }
    v128.store(out, f32x4.mul(sumFour(a0, a1, a2, a3), factor));
    v128.store(out + pitch, f32x4.mul(sumFour(b0, b1, b2, b3), factor));
    keys += 16;
    out += 16;
  }
}

function dotOne(row: usize, bytes: i32, keys: usize, count: i32, out: usize, scale: f32): void {
  const factor = f32x4.splat(scale);
  for (let j = 0; j < count; j += 4) {
    let k0: usize = load<u32>(keys);
    let k1: usize = load<u32>(keys, 4);
    let k2: usize = load<u32>(keys, 8);
    let k3: usize = load<u32>(keys, 12);
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let a2 = f32x4.splat(0);
    let a3 = f32x4.splat(0);
    for (let a = row, end = row + bytes; a < end; a += 16) {
      const x = v128.load(a);
      a0 = madd(x, v128.load(k0), a0);
      a1 = madd(x, v128.load(k1), a1);
      a2 = madd(x, v128.load(k2), a2);
      a3 = madd(x, v128.load(k3), a3);
      k0 += 16;
      k1 += 16;
      k2 += 16;
      k3 += 16;
    }
    v128.store(out, f32x4.mul(sumFour(a0, a1, a2, a3), factor));
    keys += 16;
    out += 16;
  }
}

/** The sums of the lanes of four vectors, as one. @inline */
export function sumFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const evenAb = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const oddAb = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const evenCd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const oddCd = i32x4.shuffle(c, d, 2, 6, 3, 7);
  const ab = f32x4.add(evenAb, oddAb);
  const cd = f32x4.add(evenCd, oddCd);
  return f32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}
