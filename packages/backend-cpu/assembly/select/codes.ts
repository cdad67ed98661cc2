import { pointer, real, word } from '../layout';
import { horizontalMax } from '../simd';
import { DEPTH, SCALE, STRIP, WIDTH } from './spec';
import {
  CODED_ROWS,
  KEY_ROWS,
  LOGITS,
  QUERIES,
  QUERY_CODES,
  QUERY_SCALES,
  region,
  setWord,
} from './work';

/**
 * Whole numbers instead of floats, where keys are stored as i8 and queries have been rounded to codes as well: codes
 * are read where they lie, and their sums are exact.
 *
 * Eight channels a step, widened to 16 bits: 88 G operations a second against 63 of `dots`, for which keys are decoded
 * first. The relaxed product of 8 by 7 bits, with positive and negative queries apart, comes to 51.
 */

/** How far a channel may be from its code, as a share of the largest channel. */
const TOLERANCE: f32 = 1e-6;

/** Writes the codes of row `i` of the matrix product. One row that is no whole multiple of a scale, and all are floats. */
export function encodeRow(spec: usize, work: usize, i: i32): void {
  const width = word(spec, WIDTH);
  const row = region(spec, work, QUERIES) + ((i * word(spec, DEPTH)) << 2);
  const codes = region(spec, work, QUERY_CODES) + ((i * width) << 1);
  const largest = largestChannel(row, width);
  const scale: f32 = largest / 127;
  store<f32>(region(spec, work, QUERY_SCALES) + (i << 2), scale);
  for (let d = 0; d < width && word(work, CODED_ROWS); d++) {
    const channel = load<f32>(row + (d << 2));
    const code: f32 = scale > 0 ? nearest<f32>(channel / scale) : 0;
    store<i16>(codes + (d << 1), <i16>code);
    // Written so that NaN is no code either.
    const isCode = abs<f32>(channel - code * scale) <= TOLERANCE * largest;
    setWord(work, CODED_ROWS, i32(isCode));
  }
}

function largestChannel(row: usize, width: i32): f32 {
  let largest = f32x4.splat(0);
  for (const end = row + (width << 2); row < end; row += 16) {
    largest = f32x4.pmax(largest, f32x4.abs(v128.load(row)));
  }
  return horizontalMax(largest);
}

/** What `dots` does, for rows `[first, first + rows)` of the matrix product as codes. */
export function multiplyCodes(spec: usize, work: usize, first: i32, rows: i32, count: i32): void {
  const width = word(spec, WIDTH);
  const pitch = word(spec, STRIP) << 2;
  const keys = region(spec, work, KEY_ROWS);
  const codes = region(spec, work, QUERY_CODES) + ((first * width) << 1);
  const scales = region(spec, work, QUERY_SCALES) + (first << 2);
  const scale = real(spec, SCALE);
  for (let r = 0; r < rows; r += 2) {
    // The last of an odd number is done twice.
    const other = min(r + 1, rows - 1);
    const out = region(spec, work, LOGITS) + r * pitch;
    dotCodes(
      codes + ((r * width) << 1),
      codes + ((other * width) << 1),
      real(scales, r) * scale,
      real(scales, other) * scale,
      width,
      keys,
      count,
      out,
      out + (other - r) * pitch,
    );
  }
}

/**
 * Two rows of codes, as i16, times four keys at a time, `[scale, codes]` each. Sums are exact up to 2^24, which 1,040
 * channels can reach.
 */
export function dotCodes(
  rowA: usize,
  rowB: usize,
  scaleA: f32,
  scaleB: f32,
  width: i32,
  keys: usize,
  count: i32,
  outA: usize,
  outB: usize,
): void {
  const bytes = width << 1;
  for (let j = 0; j < count; j += 4) {
    let k0: usize = load<u32>(keys);
    let k1: usize = load<u32>(keys, 4);
    let k2: usize = load<u32>(keys, 8);
    let k3: usize = load<u32>(keys, 12);
    let a = rowA;
    let b = rowB;
    const end = a + bytes;
    let a0 = i32x4.splat(0);
    let a1 = i32x4.splat(0);
    let a2 = i32x4.splat(0);
    let a3 = i32x4.splat(0);
    let b0 = i32x4.splat(0);
    let b1 = i32x4.splat(0);
    let b2 = i32x4.splat(0);
    let b3 = i32x4.splat(0);
    while (a < end) {
      const x = v128.load(a);
      const y = v128.load(b);
      let key = v128.load8x8_s(k0, 4);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x, key));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(y, key));
      key = v128.load8x8_s(k1, 4);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x, key));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(y, key));
      key = v128.load8x8_s(k2, 4);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(x, key));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(y, key));
      key = v128.load8x8_s(k3, 4);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(x, key));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(y, key));
      k0 += 8;
      k1 += 8;
      k2 += 8;
      k3 += 8;
      a += 16;
      b += 16;
    }
    const scales = scalesOf(keys);
    const sumsA = f32x4.convert_i32x4_s(sumFour(a0, a1, a2, a3));
    const sumsB = f32x4.convert_i32x4_s(sumFour(b0, b1, b2, b3));
    v128.store(outA, f32x4.mul(f32x4.mul(sumsA, f32x4.splat(scaleA)), scales));
    v128.store(outB, f32x4.mul(f32x4.mul(sumsB, f32x4.splat(scaleB)), scales));
    keys += 16;
    outA += 16;
    outB += 16;
  }
}

/** The sums of the lanes of four vectors, as one. @inline */
function sumFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const evenAb = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const oddAb = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const evenCd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const oddCd = i32x4.shuffle(c, d, 2, 6, 3, 7);
  const ab = i32x4.add(evenAb, oddAb);
  const cd = i32x4.add(evenCd, oddCd);
  return i32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

/** The scales of four keys. @inline */
function scalesOf(keys: usize): v128 {
  const first = v128.load32_splat(pointer(keys, 0));
  const second = v128.load32_lane(pointer(keys, 1), first, 1);
  const third = v128.load32_lane(pointer(keys, 2), second, 2);
  return v128.load32_lane(pointer(keys, 3), third, 3);
}
