import { madd } from './simd';

/**
 * The second matrix product of attention, four query rows at a time, against a tile of at most 64 entries.
 *
 * 4 rows x 8 columns, eight accumulators, one step of the depth in the loop: on V8 95 % of the fused multiply-add
 * peak. Unrolled twice it is 60 %, as registers spill.
 */

/** Entries a tile. */
export const TILE: i32 = 64;
/** Bytes of a row of logits or probabilities. */
export const STRIP: i32 = 256;

/**
 * `strip[4][TILE] = query[depth][4]ᵀ · panels`, for `count` entries rounded up to a panel of 8.
 * Panels: `[TILE / 8][depth][8]`.
 */
export function multiplyKeys(
  query: usize,
  panels: usize,
  depth: i32,
  count: i32,
  strip: usize,
): void {
  const end = query + (depth << 4);
  for (let entry = 0; entry < count; entry += 8) {
    let c00 = f32x4.splat(0);
    let c01 = f32x4.splat(0);
    let c10 = f32x4.splat(0);
    let c11 = f32x4.splat(0);
    let c20 = f32x4.splat(0);
    let c21 = f32x4.splat(0);
    let c30 = f32x4.splat(0);
    let c31 = f32x4.splat(0);
    let a = query;
    while (a < end) {
      const b0 = v128.load(panels);
      const b1 = v128.load(panels, 16);
      let x = v128.load32_splat(a);
      c00 = madd(x, b0, c00);
      c01 = madd(x, b1, c01);
      x = v128.load32_splat(a, 4);
      c10 = madd(x, b0, c10);
      c11 = madd(x, b1, c11);
      x = v128.load32_splat(a, 8);
      c20 = madd(x, b0, c20);
      c21 = madd(x, b1, c21);
      x = v128.load32_splat(a, 12);
      c30 = madd(x, b0, c30);
      c31 = madd(x, b1, c31);
      a += 16;
      panels += 32;
    }
    v128.store(strip, c00);
    v128.store(strip, c01, 16);
    v128.store(strip, c10, 256);
    v128.store(strip, c11, 272);
    v128.store(strip, c20, 512);
    v128.store(strip, c21, 528);
    v128.store(strip, c30, 768);
    v128.store(strip, c31, 784);
    strip += 32;
  }
}

/**
 * `output += strip[4][count] · panels`. Panels: `[width / 8][TILE][8]`; output: `[width / 8][4][8]`.
 */
export function addValues(
  strip: usize,
  panels: usize,
  width: i32,
  count: i32,
  output: usize,
): void {
  const end = strip + (count << 2);
  for (let column = 0; column < width; column += 8) {
    let c00 = v128.load(output);
    let c01 = v128.load(output, 16);
    let c10 = v128.load(output, 32);
    let c11 = v128.load(output, 48);
    let c20 = v128.load(output, 64);
    let c21 = v128.load(output, 80);
    let c30 = v128.load(output, 96);
    let c31 = v128.load(output, 112);
    let a = strip;
    let panel = panels;
    while (a < end) {
      const b0 = v128.load(panel);
      const b1 = v128.load(panel, 16);
      let x = v128.load32_splat(a);
      c00 = madd(x, b0, c00);
      c01 = madd(x, b1, c01);
      x = v128.load32_splat(a, 256);
      c10 = madd(x, b0, c10);
      c11 = madd(x, b1, c11);
      x = v128.load32_splat(a, 512);
      c20 = madd(x, b0, c20);
      c21 = madd(x, b1, c21);
      x = v128.load32_splat(a, 768);
      c30 = madd(x, b0, c30);
      c31 = madd(x, b1, c31);
      a += 4;
      panel += 32;
    }
    v128.store(output, c00);
    v128.store(output, c01, 16);
    v128.store(output, c10, 32);
    v128.store(output, c11, 48);
    v128.store(output, c20, 64);
    v128.store(output, c21, 80);
    v128.store(output, c30, 96);
    v128.store(output, c31, 112);
    output += 128;
    panels += TILE << 5;
  }
}
